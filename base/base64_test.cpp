#include "base/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace ingle::base {
namespace {

TEST(Base64, TheStandardsExamples) {  // RFC 4648, section 10
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, AllBytesComeBack) {
  std::mt19937 random(1);
  for (size_t length = 0; length < 200; ++length) {
    std::string bytes(length, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64, WhatIsNoneIsRefused) {
  for (const char* none : {"Z", "Zg=", "Zg===", "Zg=a", "Z*==", "Zg==Zg==", "====", "Zm9vY"})
    EXPECT_FALSE(from_base64(none)) << none;
  EXPECT_EQ(from_base64("Zm9v\r\nYg"), "foob");
}

}  // namespace
}  // namespace ingle::base
