#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/event.h"

namespace kehu::demo {

// What is constant about the n-th customer: computed from the seed when needed, never stored. ~15 ns.
struct Person {
  uint32_t index = 0;
  uint32_t device_owner = 0;  // index of the person whose devices this one uses: mostly itself
  double activity = 0;        // in (0, 1]: a few are ten times as active as most
  uint8_t favourite_category = 0;
  uint8_t city = 0;
  bool joins = true;  // some never become members
  bool ios = false;
  uint64_t bits = 0;  // of its own randomness, for further attributes

  bool uses(Channel channel) const;
};

class Population {
 public:
  explicit Population(uint64_t seed) : seed_(seed) {}

  Person person(uint32_t index) const;

  // Append values without quotes. Phone numbers, member numbers and WeChat ids differ between any two
  // customers.
  void append_member_no(uint32_t index, std::string& out) const;
  void append_phone(uint32_t index, std::string& out) const;
  void append_name(const Person& person, std::string& out) const;
  void append_wechat_id(uint32_t index, std::string_view kind, std::string& out) const;
  // The cookie or installation that a channel of one owner's device keeps.
  void append_device_id(uint32_t owner, Channel channel, std::string& out) const;

  bool has_email(const Person& person) const { return person.bits % 5 == 0; }
  std::string_view gender(const Person& person) const;
  int birth_year(const Person& person) const;

 private:
  uint64_t bits(uint32_t index, uint64_t purpose) const { return mix_with_seed(purpose << 32 | index); }
  uint64_t mix_with_seed(uint64_t value) const;

  uint64_t seed_;
};

}  // namespace kehu::demo
