#include <gtest/gtest.h>

#include "lab/frame.h"

namespace hap::lab {
namespace {

using nlohmann::json;

TEST(Frame, CarriesObjectsAndBytes) {
  const std::string blob("a\nb\0c{", 6);
  std::string bytes =
      encode_message({{"id", 1}}) + encode_message({{"id", 2}}, blob) + encode_message({{"id", 3}});
  // However the stream is cut, the same messages come out.
  for (size_t step : {size_t{1}, size_t{2}, size_t{7}, bytes.size()}) {
    MessageDecoder decoder;
    std::vector<Message> messages;
    for (size_t at = 0; at < bytes.size(); at += step) {
      decoder.feed(std::string_view(bytes).substr(at, step));
      for (;;) {
        auto message = decoder.next();
        ASSERT_TRUE(message);
        if (!*message) break;
        messages.push_back(std::move(**message));
      }
    }
    ASSERT_EQ(messages.size(), 3U) << "in steps of " << step;
    EXPECT_EQ(messages[0].body["id"], 1);
    EXPECT_EQ(messages[1].blob, blob);
    EXPECT_EQ(messages[2].body["id"], 3);
    EXPECT_EQ(messages[2].blob, "");
    EXPECT_EQ(decoder.pending(), 0U);
  }
}

TEST(Frame, RefusesWhatNoAgentSends) {
  for (const char* line : {"nonsense\n", "[1]\n", "{\"blob\":-1}\n", "{\"blob\":\"x\"}\n",
                           "{\"blob\":99999999999}\n", "\n", "{\"a\":1\n"}) {
    MessageDecoder decoder;
    decoder.feed(line);
    auto message = decoder.next();
    ASSERT_FALSE(message) << line;
    EXPECT_EQ(message.error().kind(), ErrorKind::corrupt);
  }
}

TEST(Frame, LimitsALine) {
  MessageDecoder decoder;
  decoder.feed(std::string(kMaxLineBytes + 1, 'x'));
  EXPECT_FALSE(decoder.next());
}

TEST(Frame, ReplacesBytesThatAreNotText) {
  MessageDecoder decoder;
  decoder.feed(encode_message({{"out", "\xff\xfe"}}));
  auto message = decoder.next();
  ASSERT_TRUE(message);
  ASSERT_TRUE(*message);
}

TEST(Frame, KeepsTheKindOfAnError) {
  for (ErrorKind kind : {ErrorKind::failed, ErrorKind::usage, ErrorKind::unsupported, ErrorKind::corrupt,
                         ErrorKind::sandbox, ErrorKind::workload, ErrorKind::interrupted}) {
    Error back = error_from_json(error_to_json(Error("it broke", kind).hint("mend it")));
    EXPECT_EQ(back.kind(), kind);
    EXPECT_EQ(back.message(), "it broke");
    EXPECT_EQ(back.hint(), "mend it");
  }
  EXPECT_EQ(error_from_json(json()).kind(), ErrorKind::corrupt);
  EXPECT_EQ(error_from_json(json{{"kind", 7}}).kind(), ErrorKind::failed);
}

}  // namespace
}  // namespace hap::lab
