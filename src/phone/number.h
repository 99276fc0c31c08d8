#pragma once

#include <optional>
#include <string>
#include <string_view>

// Phone numbers of the world; the only folder that knows libphonenumber. Pure, and safe from any thread.
namespace kehu::phone {

// "+442079460958" of a number written with its country: "+44 (0)20 7946 0958", "0044 20 7946 0958". nullopt
// when the numbering plan of the country has no such number, when it is no number at all, and for numbers
// that many share by their kind: free, premium and shared-cost ones. Microseconds; of Chinese mobile numbers
// the caller knows enough by itself.
std::optional<std::string> e164(std::string_view text);

}  // namespace kehu::phone
