#include "core/engine/encoder.h"

#include <algorithm>
#include <cmath>

namespace ingle::core {

base::Status Encoder::prepare() {
  const uint32_t pages = encoder_pages(max_rows_);
  INGLE_CHECK(pool_.reserve(pages));
  for (uint32_t i = 0; i < pages; ++i) pages_.push_back(pool_.data(pool_.take()));
  tables_.reserve(kMostEncoderTexts);
  sequences_.reserve(kMostEncoderTexts);
  first_rows_.reserve(kMostEncoderTexts);
  tokens_.reserve(max_rows_);
  types_.reserve(max_rows_);
  return {};
}

size_t Encoder::fitting(std::span<const EncoderText> texts) const {
  size_t count = 0, rows = 0;
  while (count < std::min<size_t>(texts.size(), kMostEncoderTexts) && rows + texts[count].tokens.size() <= max_rows_)
    rows += texts[count++].tokens.size();
  return count;
}

void Encoder::run(std::span<const EncoderText> texts, float* out) {
  tables_.clear();
  sequences_.clear();
  tokens_.clear();
  types_.clear();
  first_rows_.clear();
  size_t page = 0;
  for (const EncoderText& text : texts) {
    const auto rows = static_cast<uint32_t>(text.tokens.size());
    tables_.push_back(pages_.data() + page);
    page += (rows + kPagePositions - 1) / kPagePositions;
    sequences_.push_back({rows, 0, {&tables_.back(), 1}});
    first_rows_.push_back(static_cast<uint32_t>(tokens_.size()));
    tokens_.insert(tokens_.end(), text.tokens.begin(), text.tokens.end());
    for (uint32_t i = 0; i < rows; ++i) types_.push_back(i < text.second ? 0 : 1);
  }
  RunArgs args{.tokens = tokens_, .sequences = sequences_, .output_rows = first_rows_};
  args.types = types_;
  device_.run(args);
  for (size_t text = 0; text < texts.size(); ++text) pool(text, first_rows_[text], out + text * width());
}

void Encoder::pool(size_t text, size_t first_row, float* out) const {
  const size_t width = this->width(), rows = result_.output_rows ? 1 : sequences_[text].rows;
  const float* row = device_.read(result_) + (result_.output_rows ? text : first_row) * width;
  std::vector<double> sums(width, 0.0);
  for (size_t r = 0; r < rows; ++r, row += width)
    for (size_t i = 0; i < width; ++i) sums[i] += row[i];
  double divisor = static_cast<double>(rows);
  if (normalise_) {
    double squares = 0;
    for (const double sum : sums) squares += sum * sum;
    divisor = std::max(std::sqrt(squares), 1e-30);
  }
  for (size_t i = 0; i < width; ++i) out[i] = static_cast<float>(sums[i] / divisor);
}

}  // namespace ingle::core
