#include "store/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/url.h"

namespace ingle::store {
namespace {

using ::testing::ElementsAre;

TEST(Address, HubFiles) {
  const Result<Address> hf = parse_address("hf:Qwen/Qwen3-0.6B-GGUF/sub/Qwen3 0.6B.gguf@refs/pr/1");
  ASSERT_TRUE(hf.ok()) << hf.error().message;
  EXPECT_EQ(hf->repository, "Qwen/Qwen3-0.6B-GGUF");
  EXPECT_EQ(hf->path, "sub/Qwen3 0.6B.gguf");
  EXPECT_EQ(hf->revision, "refs/pr/1");
  EXPECT_EQ(repository_url(*hf, "https://hub.example/"),
            "https://hub.example/Qwen/Qwen3-0.6B-GGUF/resolve/refs%2Fpr%2F1/sub/Qwen3%200.6B.gguf");
  const Result<Address> scope = parse_address("modelscope:o/r/f.gguf");
  ASSERT_TRUE(scope.ok());
  EXPECT_EQ(repository_url(*scope, "https://scope.example"), "https://scope.example/models/o/r/resolve/master/f.gguf");
  EXPECT_EQ(parse_address("hf:o/r/f.gguf")->revision, "main");
  EXPECT_EQ(address_file_name(*hf), "Qwen3 0.6B.gguf");
}

TEST(Address, NumberedParts) {
  const Result<Address> parts = parse_address("pypi:m-part{9..11}==1.0/m_part{9..11}/data/f.part{08..10}");
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  ASSERT_EQ(parts->parts.size(), 3u);
  EXPECT_EQ(parts->parts[0].package, "m-part9");
  EXPECT_EQ(parts->parts[0].version, "1.0");
  EXPECT_EQ(parts->parts[0].member, "m_part9/data/f.part08");
  EXPECT_EQ(parts->parts[2].member, "m_part11/data/f.part10");
  EXPECT_THAT(*expand_ranges("a{1..3}"), ElementsAre("a1", "a2", "a3"));
  EXPECT_THAT(*expand_ranges("plain"), ElementsAre("plain"));
  EXPECT_THAT(*expand_ranges("{098..101}"), ElementsAre("098", "099", "100", "101"));
  for (const char* bad : {"a{1..3}{1..4}", "a{3..1}", "a{1..2000}", "a{x..y}", "a{", "a{1..2", "a{1-2}", "a{..2}",
                          "a{1..99999999999}", "{-1..2}"})
    EXPECT_FALSE(expand_ranges(bad).ok()) << bad;
}

TEST(Address, RefusesWhatIsNotOne) {
  for (const char* bad : {"",
                          "x",
                          "ftp://h/f",
                          "http://example.org/f",
                          "http://127.0.0.1.example.org/f",
                          "http://127.evil.org/x",
                          "https://",

                          "hf:",
                          "hf:a",
                          "hf:a/b",
                          "hf:a/b/",
                          "hf:../b/c",
                          "hf:a/../c",
                          "hf:a/b/../../c",
                          "hf:a/b/c@",
                          "hf:a/b/c@../x",
                          "hf:a/b/c@x y",
                          "hf:a b/c/d",
                          "hf:a/b//c",
                          "hf:a/b/c\\d",
                          "hf:a/b/c\nd",
                          "pypi:a",
                          "pypi:a==1",
                          "pypi:a==1/",
                          "pypi:==1/x",
                          "pypi:a==/x",
                          "pypi:a==1/../x",
                          "pypi:a==1//x",
                          "pypi:-r==1/x",
                          "pypi:--index-url==1/x",
                          "pypi:a==-1/x",
                          "pypi:a b==1/c",
                          "file:"})
    EXPECT_FALSE(parse_address(bad).ok()) << bad;
  EXPECT_FALSE(parse_address("https://e/" + std::string(5000, 'x')).ok());
  EXPECT_FALSE(parse_address(std::string_view("https://e/\0x", 12)).ok());
}

TEST(Address, PlainHttpOnlyForThisMachine) {
  for (const char* good :
       {"http://127.0.0.1:8080/f", "http://localhost/f", "http://[::1]:1/f", "https://example.org/f"})
    EXPECT_TRUE(parse_address(good).ok()) << good;
  EXPECT_FALSE(is_loopback_host("localhost.example.org"));
  EXPECT_FALSE(is_allowed_url("http://user@example.org@127.0.0.1.nip.io/"));
}

TEST(Address, NeverShowsAPassword) {
  const Result<Address> address = parse_address("https://me:secret@example.org/f.gguf");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->text, "https://***@example.org/f.gguf");
  EXPECT_EQ(redact_url("https://example.org/a@b"), "https://example.org/a@b");
  EXPECT_EQ(redact_url("no url"), "no url");
}

TEST(ModelName, ValidOnesAndNearestOnes) {
  for (const char* good : {"a", "qwen2.5-coder-0.5b", "x_y", "0"}) EXPECT_TRUE(is_valid_model_name(good)) << good;
  for (const char* bad : {"", ".", "..", ".a", "-a", "A", "a/b", "a b", "a..b", "a.", "a:b", "\xc3\xa4"})
    EXPECT_FALSE(is_valid_model_name(bad)) << bad;
  EXPECT_FALSE(is_valid_model_name(std::string(101, 'a')));
  EXPECT_EQ(to_model_name("Qwen3-0.6B-Q8_0"), "qwen3-0.6b-q8_0");
  EXPECT_EQ(to_model_name("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(to_model_name("\xf0\x9f\x98\x80"), "");
  for (const char* any : {"a..b..", "....", "a b", "---x", "x.", "\n"}) {
    const std::string name = to_model_name(any);
    EXPECT_TRUE(name.empty() || is_valid_model_name(name)) << any << " -> " << name;
  }
}

TEST(Url, ResolvesWithoutCredentials) {
  EXPECT_EQ(resolve_url("https://u:p@h/simple/a/", "../../f/x.whl"), "https://h/f/x.whl");
  EXPECT_EQ(resolve_url("https://h/simple/a/", "https://other/x"), "https://other/x");

  EXPECT_EQ(percent_decode(percent_encode("a/b c%\xc3\xa4", false)), "a/b c%\xc3\xa4");
  EXPECT_EQ(percent_decode("%"), "%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
}

TEST(Url, OriginIsSchemeHostAndPort) {
  const Url a = *parse_url("https://Host/x");
  EXPECT_TRUE(same_origin(a, *parse_url("https://host:443/y")));
  EXPECT_FALSE(same_origin(a, *parse_url("https://host:444/y")));
  EXPECT_FALSE(same_origin(a, *parse_url("http://host/y")));
  EXPECT_FALSE(same_origin(a, *parse_url("https://other/y")));
  EXPECT_FALSE(parse_url("file:///etc/passwd"));
  EXPECT_FALSE(parse_url("gopher://h/"));
}

}  // namespace
}  // namespace ingle::store
