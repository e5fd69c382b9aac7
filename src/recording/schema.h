// The tables of a recording, version 1. docs/recording-format.md explains them column by column.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hap::recording {

// "HAPR", at offset 68 of the file, so that file(1) and this reader know a recording from any other database.
inline constexpr uint32_t application_id = 0x48415052;

struct Table {
  std::string_view name;
  std::string_view sql;  // as stored in sqlite_schema; the reader accepts exactly this text
};

std::span<const Table> tables();

}  // namespace hap::recording
