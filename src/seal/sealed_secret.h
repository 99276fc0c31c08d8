#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "model/settings.h"

namespace kehu::seal {

// The key of a cipher that secrets of one kind are sealed with (ProjectKey); wiped behind its use.
using WrappingKey = absl::FunctionRef<std::string(Cipher)>;

// A secret of the project as it is kept: the cipher's number, a random nonce, the sealed bytes
// (formats/sealed.md). `bound_to` names what it is of, and has to be known again to open it.
std::string seal_secret(WrappingKey wrapping, Cipher cipher, std::string_view bound_to,
                        std::string_view secret);
// nullopt: it is damaged, or was sealed with another key or for something else. The caller wipes the text.
std::optional<std::string> open_secret(WrappingKey wrapping, std::string_view bound_to,
                                       std::string_view sealed);

}  // namespace kehu::seal
