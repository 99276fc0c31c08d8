#pragma once

#include <string>
#include <vector>

#include "model/event.h"
#include "model/profile.h"
#include "model/settings.h"

// The oracle of this folder: what docs/profile.md says, computed from the whole list of events in the
// plainest way. Never optimised.
namespace kehu::profile {

ProfileView plain_profile(const Settings& settings, const std::vector<Event>& events, Instant now);

// Every field as text, a line each, to compare two views.
std::string describe(const ProfileView& view);

}  // namespace kehu::profile
