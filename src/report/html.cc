#include "report/html.h"

#include <openssl/evp.h>

#include "report/page_template.h"

namespace hap::report {
namespace {

using nlohmann::json;

constexpr size_t worth_sharing = 64;  // bytes of JSON

bool is_schema(const json& value, const std::string& name) {
  return value.is_object() && value.contains("schema") && value["schema"].is_string() &&
         value["schema"].get<std::string>().rfind("hapmeter." + name + "/", 0) == 0;
}

std::string serialize(const json& value) {
  // Names of the measured system need not be UTF-8.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// JSON that may stand in a script element: nothing in it can end the element or open a comment, and the two
// line separators that older script parsers stumble over are escaped too.
std::string embeddable(const json& value) {
  std::string text;
  const std::string plain = serialize(value);
  text.reserve(plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    if (c == '<') {
      text += "\\u003c";
    } else if (c == '>') {
      text += "\\u003e";
    } else if (c == '&') {
      text += "\\u0026";
    } else if (plain.compare(i, 3, "\u2028") == 0 || plain.compare(i, 3, "\u2029") == 0) {
      text += plain[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      text.push_back(c);
    }
  }
  return text;
}

Result<std::string> base64(const std::string& bytes) {
  if (bytes.size() > INT32_MAX / 2) return Error("the HTML report would be too large");
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace

json HtmlPage::with_numbered_records(const json& exposure) {
  json result = exposure;
  const auto records = exposure.find("records");
  if (records == exposure.end() || !records->is_array()) return result;
  json numbers = json::array();
  for (json record : *records) {
    if (record.is_object()) record.erase("weight");  // differs with every repeat, and is not shown
    const auto [entry, added] = exposed_index_.emplace(serialize(record), exposed_.size());
    if (added) exposed_.push_back(std::move(record));
    numbers.push_back(entry->second);
  }
  result["records"] = std::move(numbers);
  return result;
}

json HtmlPage::without_repetition(const json& report) {
  json result = json::object();
  for (const auto& [name, value] : report.items()) {
    if (name == "functions") continue;
    if (name == "exposure" && value.is_object()) {
      result[name] = with_numbered_records(value);
      continue;
    }
    const std::string text = value.is_structured() ? serialize(value) : std::string();
    if (text.size() < worth_sharing) {
      result[name] = value;
      continue;
    }
    const auto [entry, added] = shared_index_.emplace(text, shared_.size());
    if (added) shared_.push_back(value);
    result[name] = {{"$shared", entry->second}};
  }
  return result;
}

Status HtmlPage::add_report(const json& report) {
  if (!is_schema(report, "report")) {
    return Error("not a hapmeter report", ErrorKind::corrupt)
        .hint("Give the output of `hap report --format json`");
  }
  const auto functions = report.find("functions");
  HAP_CHECK(functions_.add(functions != report.end() && !functions->is_null() ? *functions : json::array()));
  reports_.push_back(without_repetition(report));
  return {};
}

Status HtmlPage::set_comparison(const json& comparison) {
  if (!is_schema(comparison, "compare")) return Error("not a hapmeter comparison", ErrorKind::corrupt);
  comparison_ = comparison;
  return {};
}

Status HtmlPage::set_difference(const json& difference) {
  if (!is_schema(difference, "diff")) return Error("not a hapmeter difference", ErrorKind::corrupt);
  difference_ = difference;
  return {};
}

Result<std::string> HtmlPage::render() const {
  if (reports_.empty() && comparison_.is_null() && difference_.is_null()) {
    return Error("there is nothing to show in the HTML report", ErrorKind::usage);
  }
  const json page = {{"schema", "hapmeter.page/1"}, {"shared", shared_},         {"exposed", exposed_},
                     {"reports", reports_},         {"comparison", comparison_}, {"difference", difference_}};
  HAP_TRY(packed, functions_.bytes());
  HAP_TRY(functions, base64(packed));
  const std::string_view skeleton = page_template();
  const size_t mark = skeleton.find(page_data_mark);
  if (mark == std::string_view::npos)
    return Error("the page of the HTML report was built without a place for data");
  std::string html(skeleton.substr(0, mark));
  html += "<script type=\"application/json\" id=\"hap-page\">";
  html += embeddable(page);
  html += "</script>\n<script type=\"application/octet-stream\" id=\"hap-functions\">";
  html += functions;
  html += "</script>";
  html += skeleton.substr(mark + page_data_mark.size());
  return html;
}

Result<std::string> render_html(const json& document) {
  HtmlPage page;
  const auto add_all = [&page](const json& reports) -> Status {
    for (const auto& report : reports) HAP_CHECK(page.add_report(report));
    return {};
  };
  if (document.is_array()) {
    HAP_CHECK(add_all(document));
  } else if (is_schema(document, "compare")) {
    HAP_CHECK(page.set_comparison(document));
  } else if (is_schema(document, "diff")) {
    HAP_CHECK(page.set_difference(document));
  } else if (document.is_object() && !document.contains("schema")) {
    if (document.contains("reports")) HAP_CHECK(add_all(document["reports"]));
    if (document.contains("comparison")) HAP_CHECK(page.set_comparison(document["comparison"]));
    if (document.contains("difference")) HAP_CHECK(page.set_difference(document["difference"]));
  } else {
    HAP_CHECK(page.add_report(document));
  }
  return page.render();
}

}  // namespace hap::report
