#include <fmt/format.h>

#include "report/formats.h"

namespace hap::report {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

template <typename T>
std::string or_empty(const std::optional<T>& value) {
  return value ? std::to_string(*value) : std::string();
}

}  // namespace

std::string render_csv(const std::vector<Report>& reports) {
  std::string out =
      "recording,sandbox,workload,function,file,line,lines,executed_lines,bytes,complexity,layer,context,"
      "hits,"
      "subsystem,image,inlined,label,emulation\r\n";
  for (const auto& report : reports) {
    const std::string cell = fmt::format("{},{},{}", quoted(report.path), quoted(report.value("sandbox")),
                                         quoted(report.value("workload")));
    for (const auto& each : report.functions) {
      out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{:d},{:d},{:d}\r\n", cell, quoted(each.name),
                         quoted(each.file), or_empty(each.line), or_empty(each.lines),
                         or_empty(each.executed_lines), or_empty(each.bytes), or_empty(each.complexity),
                         to_string(each.layer), to_string(each.context), each.hits, quoted(each.subsystem),
                         quoted(each.image), each.inlined, each.label, each.emulation);
    }
  }
  return out;
}

}  // namespace hap::report
