#pragma once

#include <cstddef>

#include "debugger/request_steps.h"
#include "model/record.h"
#include "model/settings.h"
#include "seal/opener.h"

namespace kehu::debugger {

// What items_of() reads with; all of it outlives the call.
struct Reading {
  const Settings& settings;
  seal::Opener& opener;
};

// The events and rejections of a batch from `first_entry` on, for display: canonical names and times, values
// of personal fields masked, long texts cut. The items are the first RequestSteps::kItems of them. Costs some
// µs an event.
Part items_of(const RecordBatch& batch, size_t first_entry, const Reading& reading);

}  // namespace kehu::debugger
