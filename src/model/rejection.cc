#include "model/rejection.h"

namespace kehu {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::kInvalidJson:
      return "invalid_json";
    case Reason::kNotAnObject:
      return "not_an_object";
    case Reason::kMissingType:
      return "missing_type";
    case Reason::kUnknownType:
      return "unknown_type";
    case Reason::kMissingEventName:
      return "missing_event_name";
    case Reason::kNoIdentifier:
      return "no_identifier";
    case Reason::kInvalidField:
      return "invalid_field";
    case Reason::kInvalidTime:
      return "invalid_time";
    case Reason::kTimeInFuture:
      return "time_in_future";
    case Reason::kTimeOutOfRange:
      return "time_out_of_range";
    case Reason::kEventTooLarge:
      return "event_too_large";
    case Reason::kTooManyEvents:
      return "too_many_events";
    case Reason::kMessageIdTooLong:
      return "message_id_too_long";
    case Reason::kNameTooLong:
      return "name_too_long";
    case Reason::kIdentifierTooLong:
      return "identifier_too_long";
    case Reason::kTooManyIdentifiers:
      return "too_many_identifiers";
    case Reason::kAmountOutOfRange:
      return "amount_out_of_range";
    case Reason::kDuplicateConflict:
      return "duplicate_conflict";
    case Reason::kReservedKey:
      return "reserved_key";
    case Reason::kInvalidUtf8:
      return "invalid_utf8";
    case Reason::kMissingColumn:
      return "missing_column";
    case Reason::kUnreadableRow:
      return "unreadable_row";
    case Reason::kInvalidName:
      return "invalid_name";
    case Reason::kUnreadableBody:
      return "unreadable_body";
    case Reason::kEncryptedBody:
      return "encrypted_body";
    case Reason::kChecksumMismatch:
      return "checksum_mismatch";
  }
  return "unknown";
}

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kEvents:
      return "events";
    case Protocol::kStream:
      return "stream";
    case Protocol::kSegment:
      return "segment";
    case Protocol::kRudder:
      return "rudder";
    case Protocol::kPostHog:
      return "posthog";
    case Protocol::kSensors:
      return "sensors";
    case Protocol::kCloudEvents:
      return "cloud_events";
  }
  return "unknown";
}

}  // namespace kehu
