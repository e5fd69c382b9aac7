// What may follow the database of a finished recording: bytes that are there for whoever does not want to
// read all of it.
//
// From the end of the database on: "HAPATT01", the 64-bit little-endian size of the content, the content, and
// the SHA-256 of the recording's first page and of all these bytes before it. The first page has the seal and
// SQLite's change counter: content that was made for another recording, or for this one before some SQLite
// client changed it, is not taken for this one's. Like the seal, the digest detects accidents, not forgery.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::recording {

inline constexpr size_t max_attachment_size = size_t{64} << 20;

// `bytes` is all that follows the database. Null: no attachment to the recording with this first page.
std::optional<std::string_view> attached_content(std::string_view first_page, std::string_view bytes);

// Puts content behind the database of a finished recording, in place of any that is there. The recording is
// replaced at once or stays as it was. Errors: not a recording; content too large; disk full.
Status attach(const std::string& path, std::string_view content);

// Reads the first page and what follows the database, nothing in between. Null: nothing is attached. Errors
// (corrupt but for a file that cannot be read): not a recording, cut short, or with other bytes at its end.
Result<std::optional<std::string>> read_attachment(const std::string& path);

}  // namespace hap::recording
