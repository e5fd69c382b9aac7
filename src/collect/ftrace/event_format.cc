#include "collect/ftrace/event_format.h"

#include <charconv>
#include <optional>

namespace hap::collect {
namespace {

constexpr uint32_t largest_field = 1 << 16;  // one page of the largest size there is

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<uint32_t> number_after(std::string_view line, std::string_view key) {
  const size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + key.size());
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || value > largest_field) return std::nullopt;
  return value;
}

// "field:unsigned char common_flags;" -> "common_flags"; "args[6]" -> "args"
std::string_view name_of(std::string_view line) {
  const size_t semicolon = line.find(';');
  line = line.substr(0, semicolon);
  const size_t space = line.find_last_of(" \t*");
  if (space != std::string_view::npos) line.remove_prefix(space + 1);
  return line.substr(0, line.find('['));
}

std::optional<std::pair<std::string, EventField>> parse_field(std::string_view line) {
  const auto offset = number_after(line, "offset:");
  const auto size = number_after(line, "size:");
  if (line.find("field:") == std::string_view::npos || !offset || !size) return std::nullopt;
  return std::pair{std::string(name_of(line)), EventField{*offset, *size}};
}

}  // namespace

Result<EventField> EventFormat::field(std::string_view name, uint32_t size) const {
  const auto found = fields.find(name);
  if (found == fields.end() || found->second.size != size) {
    return Error("this kernel's trace event has no field \"" + std::string(name) + "\" of " +
                     std::to_string(size) + " bytes",
                 ErrorKind::unsupported);
  }
  return found->second;
}

Result<EventFormat> parse_event_format(std::string_view text) {
  EventFormat format;
  bool identified = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.substr(0, 3) == "ID:") {
      const auto id = number_after(line, "ID:");
      if (!id || *id > UINT16_MAX) return Error("a trace event without a number", ErrorKind::corrupt);
      format.id = static_cast<uint16_t>(*id);
      identified = true;
    } else if (auto field = parse_field(line)) {
      format.fields.insert(std::move(*field));
    }
  }
  if (!identified || format.fields.empty()) {
    return Error("not the description of a trace event", ErrorKind::corrupt);
  }
  return format;
}

Result<PageFormat> parse_page_format(std::string_view text) {
  std::optional<EventField> commit;
  std::optional<EventField> data;
  while (!text.empty()) {
    const auto field = parse_field(take_line(text));
    if (field && field->first == "commit") commit = field->second;
    if (field && field->first == "data") data = field->second;
  }
  if (!commit || !data || commit->size != 8 || data->offset < commit->offset + commit->size) {
    return Error("not the description of a ring-buffer page that this hap understands",
                 ErrorKind::unsupported);
  }
  return PageFormat{commit->offset, data->offset, data->size};
}

}  // namespace hap::collect
