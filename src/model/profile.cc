#include "model/profile.h"

namespace kehu {

std::string_view to_string(OrderStatus status) {
  switch (status) {
    case OrderStatus::kOpen:
      return "open";
    case OrderStatus::kCompleted:
      return "completed";
    case OrderStatus::kPartlyRefunded:
      return "partly_refunded";
    case OrderStatus::kRefunded:
      return "refunded";
    case OrderStatus::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace kehu
