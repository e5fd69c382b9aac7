// Names of an enumeration's values, as files and reports show them: one table, read both ways.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace hap {

template <typename E, std::size_t N>
using NamedValues = std::array<std::pair<E, std::string_view>, N>;

// Empty when the value has no name.
template <typename E, std::size_t N>
constexpr std::string_view name_of(const NamedValues<E, N>& names, E value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return {};
}

template <typename E, std::size_t N>
constexpr std::optional<E> value_of(const NamedValues<E, N>& names, std::string_view wanted) {
  for (const auto& [value, name] : names) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace hap
