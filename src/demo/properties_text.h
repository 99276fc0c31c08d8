#pragma once

#include <cstdint>
#include <string>

#include "demo/catalog.h"
#include "demo/visit.h"

namespace kehu::demo {

// Writes the members of an event's properties for a visit's current step, without braces. `bits` are random
// and choose the wording.
class PropertiesText {
 public:
  explicit PropertiesText(const Catalog& catalog) : catalog_(catalog) {}

  void append(const Visit& visit, uint64_t bits, std::string& out) const;

 private:
  void append_arrival(const Visit& visit, std::string& out) const;
  void append_note(uint64_t bits, std::string& out) const;
  void append_cart_line(const Visit& visit, std::string& out) const;
  void append_try_on(const Visit& visit, std::string& out) const;
  void append_order(const Visit& visit, std::string& out) const;
  void append_order_id(const Visit& visit, std::string& out) const;
  void append_products(const Visit& visit, std::string& out) const;
  void append_refund(const Visit& visit, std::string& out) const;
  void append_ticket(const Visit& visit, uint64_t bits, std::string& out) const;
  void append_store(const Visit& visit, std::string& out) const;

  const Catalog& catalog_;
};

}  // namespace kehu::demo
