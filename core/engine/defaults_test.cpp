// Sampling defaults from both kinds of metadata.
#include "core/engine/defaults.h"

#include <gtest/gtest.h>

namespace ingle::core {
namespace {

Metadata metadata(std::map<std::string, MetadataValue, std::less<>> values) {
  Metadata result;
  result.values = std::move(values);
  return result;
}

TEST(DefaultSampling, IsThatOfSamplingParamsWithoutMetadata) {
  const SamplingParams params = default_sampling({}), own;
  EXPECT_EQ(params.temperature, own.temperature);
  EXPECT_EQ(params.top_k, own.top_k);
  EXPECT_EQ(params.penalty_last_n, own.penalty_last_n);
}

TEST(DefaultSampling, ReadsGguf) {
  const SamplingParams params = default_sampling(metadata({{"general.sampling.temp", 0.6},
                                                           {"general.sampling.top_k", int64_t{20}},
                                                           {"general.sampling.top_p", 0.95},
                                                           {"general.sampling.min_p", 0.0625},
                                                           {"general.sampling.penalty_repeat", 1.25},
                                                           {"general.sampling.penalty_last_n", int64_t{128}},
                                                           {"general.sampling.xtc_probability", 0.5},
                                                           {"general.sampling.xtc_threshold", 0.25},
                                                           {"general.sampling.mirostat", int64_t{2}},
                                                           {"general.sampling.mirostat_tau", 4.0},
                                                           {"general.sampling.mirostat_eta", 0.25}}));
  EXPECT_FLOAT_EQ(params.temperature, 0.6f);
  EXPECT_EQ(params.top_k, 20);
  EXPECT_FLOAT_EQ(params.top_p, 0.95f);
  EXPECT_EQ(params.min_p, 0.0625f);
  EXPECT_EQ(params.repeat_penalty, 1.25f);
  EXPECT_EQ(params.penalty_last_n, 128);
  EXPECT_EQ(params.xtc_probability, 0.5f);
  EXPECT_EQ(params.xtc_threshold, 0.25f);
  EXPECT_EQ(params.mirostat, 2);
  EXPECT_EQ(params.mirostat_tau, 4.0f);
  EXPECT_EQ(params.mirostat_eta, 0.25f);
}

TEST(DefaultSampling, ReadsGenerationConfig) {
  const SamplingParams params = default_sampling(metadata({{"generation.temperature", 0.7},
                                                           {"generation.top_k", uint64_t{20}},
                                                           {"generation.top_p", 0.8},
                                                           {"generation.min_p", 0.125},
                                                           {"generation.typical_p", 0.5},
                                                           {"generation.repetition_penalty", 1.05},
                                                           {"generation.do_sample", true}}));
  EXPECT_FLOAT_EQ(params.temperature, 0.7f);
  EXPECT_EQ(params.top_k, 20);
  EXPECT_FLOAT_EQ(params.top_p, 0.8f);
  EXPECT_EQ(params.min_p, 0.125f);
  EXPECT_EQ(params.typical_p, 0.5f);
  EXPECT_FLOAT_EQ(params.repeat_penalty, 1.05f);
  EXPECT_EQ(params.penalty_last_n, -1);
  EXPECT_EQ(default_sampling(metadata({{"generation.do_sample", false}, {"generation.temperature", 0.7}})).temperature,
            0);
}

TEST(DefaultSampling, GgufWinsAndNonsenseIsIgnored) {
  const SamplingParams params = default_sampling(metadata({{"generation.temperature", 0.7},
                                                           {"general.sampling.temp", int64_t{1}},
                                                           {"generation.top_p", 7.0},
                                                           {"generation.top_k", -5.0},
                                                           {"general.sampling.mirostat", int64_t{1}},
                                                           {"generation.min_p", std::string("x")},
                                                           {"generation.repetition_penalty", 1e300}}));
  EXPECT_EQ(params.temperature, 1.0f);
  EXPECT_EQ(params.top_p, 1.0f);
  EXPECT_EQ(params.top_k, 0);
  EXPECT_EQ(params.mirostat, 0);
  EXPECT_EQ(params.min_p, 0.0f);
  EXPECT_EQ(params.repeat_penalty, 1.0f);
  EXPECT_TRUE(validate(params).ok());
}

}  // namespace
}  // namespace ingle::core
