#include "publication/customers.h"

#include <algorithm>

#include "document/customer_document.h"
#include "json/writer.h"

namespace kehu::publication {
namespace {

// A look delays the events that are applied behind it: a millisecond each.
constexpr size_t kCustomersPerLook = 16;
constexpr size_t kPartsPerLook = 256;
constexpr int64_t kRestPerLook = 4;

struct Message {
  CustomerId customer;
  std::optional<std::string> value;
};

absl::StatusOr<std::optional<Message>> message_about(engine::Engine& engine, replica::Replica& replica,
                                                     CustomerId customer) {
  const auto current = replica.shard().identities().current(customer);
  if (!current) return std::nullopt;
  Message message{.customer = customer, .value = std::nullopt};
  if (*current != customer) {
    json::Writer(message.value.emplace())
        .begin_object()
        .field("merged_into", current->hash.hex())
        .end_object();
    return message;
  }
  auto document = document::customer_document(engine, replica, customer);
  if (document.ok()) {
    message.value = *std::move(document);
  } else if (!absl::IsNotFound(document.status())) {
    return document.status();
  }
  return message;
}

}  // namespace

struct Customers::Look {
  absl::Status status;
  std::vector<Message> messages;
  Sequence applied;
  Duration took;
};

// Changes are told as they are now and not as they were: documents of the past would need a copy of the
// state, and in a compacted topic the last one counts. It is right, because the stretch is read before its
// customers are looked at.
//
// A document is made on the apply thread, ~50 µs each, so a look takes few of them, and a rest of four
// times its length behind it leaves that thread four fifths of its time (docs/decisions/publishing.md).
absl::Status Customers::write(query::LogStretch stretch, Sink& sink) {
  auto concerned = session_->concerned(stretch);
  if (!concerned.ok()) return concerned.status();
  std::vector<CustomerId> customers = std::move(concerned->customers);
  absl::Span<const Token> parts(concerned->parts);
  for (; !parts.empty(); parts.remove_prefix(std::min(parts.size(), kPartsPerLook))) {
    if (auto status = add_owners(parts.subspan(0, kPartsPerLook), customers); !status.ok()) return status;
  }
  std::sort(customers.begin(), customers.end());
  customers.erase(std::unique(customers.begin(), customers.end()), customers.end());
  absl::Span<const CustomerId> rest(customers);
  for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), kCustomersPerLook))) {
    if (auto status = send(rest.subspan(0, kCustomersPerLook), sink); !status.ok()) return status;
  }
  sink.mark(stretch.up_to);
  return absl::OkStatus();
}

// The archive's identity log says where a part went. Whom it left has changed as well, and is among all who
// ever had it. These are few, and a message too many does no harm.
absl::Status Customers::add_owners(absl::Span<const Token> parts, std::vector<CustomerId>& customers) {
  const auto owners = engine_.ask<std::vector<CustomerId>>([parts](replica::Replica& replica) {
    std::vector<CustomerId> all;
    for (const Token part : parts) {
      for (const CustomerId owner : replica.shard().identities().owners_of(part)) all.push_back(owner);
    }
    return all;
  });
  if (!owners.ok()) return owners.status();
  customers.insert(customers.end(), owners->begin(), owners->end());
  return absl::OkStatus();
}

absl::Status Customers::send(absl::Span<const CustomerId> customers, Sink& sink) {
  const auto look = engine_.ask<Look>([this, customers](replica::Replica& replica) {
    const Duration start = engine_.clock().monotonic();
    Look seen{.status = {}, .messages = {}, .applied = replica.applied(), .took = {}};
    for (const CustomerId customer : customers) {
      auto message = message_about(engine_, replica, customer);
      seen.status.Update(message.status());
      if (message.ok() && *message) seen.messages.push_back(**std::move(message));
    }
    seen.took = engine_.clock().monotonic() - start;
    return seen;
  });
  if (!look.ok()) return look.status();
  if (!look->status.ok()) return look->status;
  for (const Message& message : look->messages) {
    const std::string key = message.customer.hash.hex();
    const absl::Status sent =
        sink.send({.key = key, .value = message.value, .message_id = {}, .position = look->applied});
    if (!sent.ok()) return sent;
  }
  return sink.rest(Duration(kRestPerLook * look->took.micros()));
}

}  // namespace kehu::publication
