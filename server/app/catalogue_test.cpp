// The built-in catalogue's shapes are those of its files: what was published of each, and the size of each file, agree.
#include "server/app/catalogue.h"

#include <gtest/gtest.h>

#include "core/forecast/shape_file.h"
#include "store/catalogue.h"

namespace ingle::server {
namespace {

TEST(BuiltinCatalogue, KnowsTheShapeOfEachModel) {
  const store::Catalogue catalogue = store::Catalogue::builtin().value();
  ASSERT_FALSE(catalogue.entries().empty());
  for (const store::CatalogueEntry& entry : catalogue.entries()) {
    const auto found = core::shape_of(entry.shape, entry.quantisation);
    ASSERT_TRUE(found.ok()) << entry.name;
    const core::Shape& shape = *found->first;
    EXPECT_EQ(shape.architecture, entry.architecture) << entry.name;
    EXPECT_EQ(core::parameters_of(shape), entry.parameters) << entry.name;
    EXPECT_EQ(shape.context, entry.context_length) << entry.name;
    // A file has a description of some megabytes, too. Those of Qwen2.5-Coder hold the output matrix a second time;
    // that of Phi-3, by an older converter, has attn_qkv in another format.
    const auto tensors = static_cast<double>(core::tensor_bytes_of(*found->second, shape));
    const auto file = static_cast<double>(entry.size_bytes);
    EXPECT_GT(tensors, (entry.architecture == "qwen2" ? 0.79 : 0.97) * file) << entry.name;
    EXPECT_LT(tensors, 1.002 * file) << entry.name;
  }
}

}  // namespace
}  // namespace ingle::server
