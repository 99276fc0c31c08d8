#include "intake/trait_operands.h"

#include <string>
#include <utility>

#include "base/money.h"
#include "base/text.h"
#include "json/text.h"
#include "list/standing.h"
#include "model/trait_operator.h"

namespace kehu::intake {
namespace {

using json::Kind;

class OperandCheck {
 public:
  OperandCheck(const json::Index& index, ListTraits lists) : index_(index), lists_(lists) {}

  // Of the trait that a key, or an element of $unset, names. Anybody who has a write key could else take
  // himself off a list that he does not like.
  std::optional<Fault> check_name(uint32_t node) {
    if (lists_ == ListTraits::kAllowed) return std::nullopt;
    const std::string_view name = index_.text_of(index_[node], scratch_);
    if (!name.starts_with(list::kTraitPrefix)) return std::nullopt;
    return Fault{Reason::kReservedKey, node,
                 "traits that begin with list: are those of uploaded lists: `kehu list upload`"};
  }

  std::optional<Fault> check(TraitOperator named, uint32_t operand) {
    if (is_empty_list(operand) && named != TraitOperator::kClear) return std::nullopt;  // PHP's empty object
    if (kind(operand) == Kind::kObject) {
      for (uint32_t key = operand + 1; key < index_[operand].next; key = index_[key + 1].next) {
        if (auto fault = check_name(key)) return fault;
      }
    }
    switch (named) {
      case TraitOperator::kClear:
        return require(operand, kind(operand) == Kind::kBool,
                       "$clear takes true: all traits of the customer are deleted");
      case TraitOperator::kUnset:
        return check_names(operand);
      case TraitOperator::kSetOnce:
        return require(operand, kind(operand) == Kind::kObject, "$set_once takes an object of traits");
      case TraitOperator::kAdd:
        return check_members(operand, "$add takes an object of numbers", &OperandCheck::check_amount);
      case TraitOperator::kAppend:
        return check_members(operand, "$append takes an object of lists", &OperandCheck::check_elements);
      case TraitOperator::kNone:
        break;
    }
    return std::nullopt;
  }

 private:
  Kind kind(uint32_t node) const { return index_[node].kind; }
  bool is_empty_list(uint32_t node) const {
    return kind(node) == Kind::kArray && index_[node].next == node + 1;
  }

  static std::optional<Fault> require(uint32_t node, bool holds, std::string detail) {
    if (holds) return std::nullopt;
    return Fault{Reason::kInvalidField, node, std::move(detail)};
  }

  std::optional<Fault> check_names(uint32_t operand) {
    if (kind(operand) == Kind::kObject) return std::nullopt;
    constexpr std::string_view kWanted = "$unset takes a list of the names of traits";
    if (kind(operand) != Kind::kArray) return require(operand, false, std::string(kWanted));
    for (uint32_t at = operand + 1; at < index_[operand].next; at = index_[at].next) {
      if (kind(at) != Kind::kString) return require(at, false, std::string(kWanted));
      if (auto fault = check_name(at)) return fault;
    }
    return std::nullopt;
  }

  using MemberCheck = std::optional<Fault> (OperandCheck::*)(uint32_t value);
  std::optional<Fault> check_members(uint32_t operand, std::string_view wanted, MemberCheck check_value) {
    if (kind(operand) != Kind::kObject) return require(operand, false, std::string(wanted));
    for (uint32_t key = operand + 1; key < index_[operand].next; key = index_[key + 1].next) {
      if (kind(key + 1) == Kind::kNull) continue;
      if (auto fault = (this->*check_value)(key + 1)) return fault;
    }
    return std::nullopt;
  }

  std::optional<Fault> check_amount(uint32_t value) {
    const bool number = kind(value) == Kind::kNumber;
    return require(value, number && Decimal::parse(index_.raw(index_[value])),
                   "$add takes numbers between -10^14 and 10^14");
  }
  std::optional<Fault> check_elements(uint32_t value) {
    return require(value, kind(value) != Kind::kObject,
                   "$append takes lists, or one text, number or boolean");
  }

  const json::Index& index_;
  const ListTraits lists_;
  std::string scratch_;
};

}  // namespace

std::optional<Fault> check_trait_operands(const json::Index& index, uint32_t traits, ListTraits lists) {
  OperandCheck operands(index, lists);
  for (uint32_t key = traits + 1; key < index[traits].next; key = index[key + 1].next) {
    if (auto fault = operands.check_name(key)) return fault;
    if (index[key].escaped) continue;
    const TraitOperator named = trait_operator(index.inner(index[key]));
    if (named == TraitOperator::kNone) continue;
    if (auto fault = operands.check(named, key + 1)) return fault;
  }
  return std::nullopt;
}

}  // namespace kehu::intake
