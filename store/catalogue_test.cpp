#include "store/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "base/json.h"
#include "base/test_source_folder.h"
#include "store/address.h"

namespace ingle::store {
namespace {

using base::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json model(const std::string& name) {
  return {
      {"name", name},
      {"aliases", Json::array()},
      {"description", "d"},
      {"architecture", "llama"},
      {"parameters", 1},
      {"quantisation", "Q4_0"},
      {"licence", {{"name", "MIT"}, {"url", "https://example.org"}}},
      {"file_name", "a.gguf"},
      {"size_bytes", 10},
      {"sha256", std::string(64, 'a')},
      {"memory_bytes", 100},
      {"context_length", 100},
      {"chat", true},
      {"sources", {{{"address", "https://example.org/a"}, {"rank", 2}}, {{"address", "hf:o/r/a.gguf"}, {"rank", 1}}}}};
}

std::string document(const std::vector<Json>& models) {
  return Json{{"version", 1}, {"models", models}}.dump();
}

std::string error_of(const std::string& text) {
  const Result<Catalogue> parsed = Catalogue::parse(text, "x.json");
  return parsed.ok() ? "" : parsed.error().message;
}

TEST(BuiltinCatalogue, HoldsTheModelsThatOurMachinesReach) {
  const Result<Catalogue> catalogue = Catalogue::builtin();
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  // Sizes and checksums as sha256sum gives them for the files in the packages.
  // `peak`: resident memory that `ingle bench MODEL --prompt 4096 --gen 0 --ctx 4096` needed.
  const struct {
    const char* name;
    uint64_t size;
    const char* sha256;
    size_t parts;
    uint64_t peak;
  } expected[] = {
      {"smollm2-135m", 98362432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 1, 250961920},
      {"gemma3-270m", 253113024, "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818", 4, 554979328},
      {"qwen2.5-coder-0.5b", 491400064, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32", 6,
       606126080},
      {"qwen2.5-coder-1.5b", 1117320768, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046", 22,
       1334013952},
  };
  for (const auto& want : expected) {
    const CatalogueEntry* entry = catalogue->find(want.name);
    ASSERT_NE(entry, nullptr) << want.name;
    EXPECT_EQ(entry->size_bytes, want.size);
    EXPECT_EQ(entry->sha256, want.sha256);
    const Result<Address> address = parse_address(entry->sources.front().address);
    ASSERT_TRUE(address.ok());
    EXPECT_EQ(address->kind, SourceKind::package);
    EXPECT_EQ(address->parts.size(), want.parts);
    EXPECT_GE(entry->memory_bytes, want.peak) << want.name;
    EXPECT_LT(entry->memory_bytes, want.peak + 10'000'000) << want.name << ": rounded up to 10 MB";
  }
  EXPECT_FALSE(catalogue->find("gemma3-270m")->chat);
  EXPECT_THAT(catalogue->find("gemma3-270m")->licence.acceptance, HasSubstr("Gemma Terms of Use"));
}

TEST(BuiltinCatalogue, EveryEntryIsPlausible) {
  const Result<Catalogue> catalogue = Catalogue::builtin();
  ASSERT_TRUE(catalogue.ok());
  for (const CatalogueEntry& entry : catalogue->entries()) {
    EXPECT_GT(entry.memory_bytes, entry.size_bytes) << entry.name;
    // 3 to 9 bits a weight: catches a size or a parameter count of another model.
    const double bits = 8.0 * static_cast<double>(entry.size_bytes) / static_cast<double>(entry.parameters);
    EXPECT_GT(bits, 3) << entry.name;
    EXPECT_LT(bits, 9) << entry.name;
    EXPECT_TRUE(entry.licence.url.starts_with("https://")) << entry.name;
  }
}

TEST(BuiltinCatalogue, FollowsItsSchema) {
  const std::string folder = source_folder() + "/store/";
  if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
    GTEST_SKIP() << "Python's jsonschema is not installed";
  const std::string validate =
      "python3 -c 'import json, sys, jsonschema; schema, file = (json.load(open(p)) for p in "
      "sys.argv[1:]); jsonschema.Draft202012Validator.check_schema(schema); "
      "jsonschema.Draft202012Validator(schema).validate(file)' ";
  EXPECT_EQ(std::system((validate + folder + "catalogue.schema.json " + folder + "catalogue.json").c_str()), 0);
}

TEST(Catalogue, SortsSourcesByRankAndFindsByAnyCase) {
  Json a = model("a-1");
  a["aliases"] = {"a:1"};
  const Result<Catalogue> catalogue = Catalogue::parse(document({a}), "x.json");
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  ASSERT_NE(catalogue->find("A-1"), nullptr);
  EXPECT_EQ(catalogue->find("A:1"), catalogue->find("a-1"));
  EXPECT_EQ(catalogue->find("a-1")->sources[0].address, "hf:o/r/a.gguf");
  EXPECT_EQ(catalogue->find("b"), nullptr);
}

TEST(Catalogue, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(error_of(document({model("a")})), "");
  Json wrong = model("a");
  wrong["sha265"] = "typo";
  EXPECT_EQ(error_of(document({wrong})), "x.json: models[0] (a): unknown field 'sha265'");
  const Json complete = model("a");
  for (const auto& [key, value] : complete.items()) {
    if (key == "aliases") continue;
    Json missing = model("a");
    missing.erase(key);
    EXPECT_THAT(error_of(document({missing})), HasSubstr("'" + key + "' is missing")) << key;
    Json retyped = model("a");
    retyped[key] = nullptr;
    EXPECT_THAT(error_of(document({retyped})), HasSubstr("x.json: models[0]")) << key;
  }
}

TEST(Catalogue, RefusesWhatCannotBeMeant) {
  const std::pair<const char*, Json> changes[] = {{"name", "Upper"},
                                                  {"name", "../up"},
                                                  {"name", "a/b"},
                                                  {"name", ""},
                                                  {"sha256", "abc"},
                                                  {"sha256", std::string(64, 'A')},
                                                  {"size_bytes", 0},
                                                  {"size_bytes", -1},
                                                  {"size_bytes", 1.5},
                                                  {"size_bytes", 1e300},
                                                  {"file_name", "../a"},
                                                  {"file_name", ".a"},
                                                  {"sources", Json::array()},
                                                  {"aliases", {"a b"}},
                                                  {"description", "a\x1b[2J"},
                                                  {"context_length", 1u << 31},
                                                  {"sources", {{{"address", "ftp://example.org/a"}}}},
                                                  {"sources", {{{"address", "http://example.org/a"}}}},
                                                  {"licence", {{"name", "MIT"}}}};
  for (const auto& [field, value] : changes) {
    Json changed = model("a");
    changed[field] = value;
    EXPECT_NE(error_of(document({changed})), "") << field << " = " << value;
  }
  EXPECT_NE(error_of(document({model("a"), model("a")})), "");
  EXPECT_NE(error_of("{}"), "");
  EXPECT_NE(error_of("[]"), "");
  EXPECT_NE(error_of("{\"version\":1"), "");
  EXPECT_NE(error_of("{\"version\":1,\"models\":{}}"), "");
  EXPECT_THAT(error_of("{\"version\":2,\"models\":[]}"), HasSubstr("version 2 is not known"));
  EXPECT_THAT(error_of("{\"version\":1,\"models\":[],\"modles\":[]}"), HasSubstr("unknown field 'modles'"));
}

TEST(Catalogue, MergesByName) {
  Result<Catalogue> base = Catalogue::parse(document({model("a"), model("b")}), "base");
  ASSERT_TRUE(base.ok());
  Json changed = model("b");
  changed["description"] = "other";
  ASSERT_TRUE(base->merge(*Catalogue::parse(document({changed, model("c")}), "more")).ok());
  EXPECT_EQ(base->entries().size(), 3u);
  EXPECT_EQ(base->find("b")->description, "other");
  Json stealing = model("d");
  stealing["aliases"] = {"a"};
  const Status stolen = base->merge(*Catalogue::parse(document({stealing}), "more"));
  ASSERT_FALSE(stolen.ok());
  EXPECT_THAT(stolen.error().message, HasSubstr("'a' would mean both"));
  EXPECT_EQ(base->find("d"), nullptr) << "a refused merge changes nothing";
}

TEST(Catalogue, SuggestsWhatWasMeant) {
  const Result<Catalogue> catalogue = Catalogue::builtin();
  EXPECT_EQ(catalogue->suggest("smolm2-135m"), "smollm2-135m");
  EXPECT_EQ(catalogue->suggest("qwen2.5-coder"), "qwen2.5-coder-0.5b");
  EXPECT_EQ(catalogue->suggest("Gemma3"), "gemma3-270m");
  EXPECT_EQ(catalogue->suggest("zzzzzzzzzzzz"), "");
}

TEST(Default, TheLargerOneFromFourGigabytes) {
  const Result<Catalogue> catalogue = Catalogue::builtin();
  const Result<DefaultChoice> large = choose_default(4'000'000'000, *catalogue);
  EXPECT_EQ(large->entry->name, "qwen2.5-coder-0.5b");
  EXPECT_THAT(large->reason, HasSubstr("4.0 GB of memory are free, at least the 4 GB"));
  const Result<DefaultChoice> small = choose_default(3'999'999'999, *catalogue);
  EXPECT_EQ(small->entry->name, "smollm2-135m");
  EXPECT_THAT(small->reason, HasSubstr("3.9 GB of memory are free, less than the 4 GB"));
  EXPECT_EQ(choose_default(0, *catalogue)->entry->name, "smollm2-135m");
  EXPECT_EQ(choose_default(0, Catalogue()).error().code, ErrorCode::not_found);
}

TEST(Default, WhatFitsLargestFirst) {
  const Result<Catalogue> catalogue = Catalogue::builtin();
  std::vector<std::string> names;
  for (const CatalogueEntry* entry : models_that_fit(900'000'000, *catalogue)) names.push_back(entry->name);
  EXPECT_THAT(names, ElementsAre("qwen2.5-coder-0.5b", "gemma3-270m", "smollm2-135m"));
  EXPECT_TRUE(models_that_fit(1000, *catalogue).empty());
  EXPECT_EQ(models_that_fit(~uint64_t{0}, *catalogue).size(), catalogue->entries().size());
}

}  // namespace
}  // namespace ingle::store
