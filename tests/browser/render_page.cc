// render_page < REPORTS > PAGE: makes the HTML report from JSON, one document a line, for the browser tests.
//
// Each line is a report, or a comparison or difference to be shown with the reports.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "report/html.h"

int main() {
  hap::report::HtmlPage page;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto document = nlohmann::json::parse(line, nullptr, false);
    const std::string schema = document.is_object() ? document.value("schema", "") : "";
    const auto added = schema.rfind("hapmeter.compare/", 0) == 0 ? page.set_comparison(document)
                       : schema.rfind("hapmeter.diff/", 0) == 0  ? page.set_difference(document)
                                                                 : page.add_report(document);
    if (!added) {
      std::cerr << "render_page: " << added.error().to_string() << "\n";
      return 1;
    }
  }
  const auto html = page.render();
  if (!html) {
    std::cerr << "render_page: " << html.error().to_string() << "\n";
    return 1;
  }
  std::cout << *html;
  return std::cout.flush() ? 0 : 1;
}
