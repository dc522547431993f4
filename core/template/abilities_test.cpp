// The oracle is Python's jinja2: tests/template/make_abilities.py asked it the same of the published templates, in
// other words.
#include "core/template/abilities.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/test_source_folder.h"

namespace ingle::core {
namespace {

std::string read(const std::string& name) {
  std::ifstream file(source_folder() + "/tests/data/template/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string letters(const TemplateAbilities& abilities) {
  std::string out;
  if (abilities.system) out += 's';
  if (abilities.tools) out += 't';
  if (abilities.calls) out += 'c';
  if (abilities.text_arguments) out += 'a';
  if (abilities.results) out += 'r';
  return out;
}

TEST(TemplateAbilities, AreThoseThatJinjaShows) {
  const auto rows = base::parse_json(read("abilities.json"));
  ASSERT_TRUE(rows.ok());
  EXPECT_GT(rows->size(), 60u);
  for (const base::Json& row : *rows) {
    const auto name = row[0].get<std::string>();
    const auto parsed = ChatTemplate::parse(read("models/" + name + ".jinja"));
    ASSERT_TRUE(parsed.ok()) << name;
    EXPECT_EQ(letters(abilities_of(*parsed)), row[1].is_null() ? "stcr" : row[1].get<std::string>()) << name;
  }
}

TEST(TemplateAbilities, OfATemplateThatStopsAreAll) {
  const auto parsed = ChatTemplate::parse("{{ raise_exception('no') }}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(letters(abilities_of(*parsed)), "stcr");
}

TEST(TemplateAbilities, OfOneThatWritesContentsOnly) {
  const auto parsed = ChatTemplate::parse("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(letters(abilities_of(*parsed)), "sr");
}

}  // namespace
}  // namespace ingle::core
