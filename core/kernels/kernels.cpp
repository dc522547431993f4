#include "core/kernels/kernels.h"

#define INGLE_SIMD_FILE "core/kernels/kernels.cpp"
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

#define INGLE_STRING_(x) #x
#define INGLE_STRING(x) INGLE_STRING_(x)

namespace ingle::core::INGLE_ISA {

void fill_packed_32(std::array<PackedKernels, kLayoutCount>& table);
void fill_packed_16(std::array<PackedKernels, kLayoutCount>& table);
void matmul(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch);
void quantize_row(const float* x, size_t columns, ActivationGroup* out);
void quantize_rest(const float* x, const ActivationGroup* quantized, size_t columns, ActivationGroup* out);
void rms_norm(const float* x, const float* weight, float epsilon, size_t n, float* out);
void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, size_t n, float* out);
void rope(float* head, const RopeArgs& args);
void activate(Activation kind, const float* x, size_t n, float* out);
void gate(Activation kind, const float* gates, const float* up, size_t n, float* out);
void add(const float* a, const float* b, size_t n, float* out);
void scale(const float* x, float factor, float cap, size_t n, float* out);
void rotate(float* head, size_t head_dim);
void store_kv(const KvView& kv, uint32_t kv_head, uint32_t position, const float* key, const float* value,
              const float* first_key);
void attention(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, std::byte* scratch);
void attention_part(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                    float* part, std::byte* scratch);
void attention_merge(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t first,
                     uint32_t last, const float* parts, size_t stride);

const Kernels& table() {
  static const Kernels kernels = [] {
    Kernels k{};
    k.name = INGLE_STRING(INGLE_ISA);
    fill_packed_32(k.packed);
    fill_packed_16(k.packed);
    k.matmul = matmul;
    k.quantize_row = quantize_row;
    k.quantize_rest = quantize_rest;
    k.rms_norm = rms_norm;
    k.layer_norm = layer_norm;
    k.rope = rope;
    k.activate = activate;
    k.gate = gate;
    k.add = add;
    k.scale = scale;
    k.rotate = rotate;
    k.store_kv = store_kv;
    k.attention = attention;
    k.attention_part = attention_part;
    k.attention_merge = attention_merge;
    return k;
  }();
  return kernels;
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

namespace {

Kernels with_tiles(Kernels kernels, std::string_view name, void (*fill)(std::array<PackedKernels, kLayoutCount>&),
                   decltype(Kernels::matmul_tiles) matmul, decltype(Kernels::store_tile_row) store,
                   decltype(Kernels::attention_tiles) attention,
                   decltype(Kernels::attention_tiles_part) attention_part) {
  kernels.name = name;
  fill(kernels.packed);
  kernels.matmul_tiles = matmul;
  kernels.store_tile_row = store;
  kernels.attention_tiles = attention;
  kernels.attention_tiles_part = attention_part;
  return kernels;
}

}  // namespace

#if defined(__aarch64__)
namespace i8mm {

void matmul(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch);

// NEON's kernels but for the products of many rows.
const Kernels& table() {
  static const Kernels kernels = [] {
    Kernels k = neon::table();
    k.name = "i8mm";
    k.matmul = matmul;
    return k;
  }();
  return kernels;
}

}  // namespace i8mm
#endif

#if defined(__x86_64__)
namespace amx {

void matmul_tiles(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch);
void store_tile_row(const float* x, size_t count, size_t columns, size_t row, size_t column, uint16_t* tiles);
void fill_packed_tiles(std::array<PackedKernels, kLayoutCount>& table);
void attention_tiles(const Kernels& kernels, const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end,
                     std::byte* scratch);
void attention_tiles_part(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                          float* part, std::byte* scratch);

const Kernels& table() {
  static const Kernels kernels = with_tiles(avx512vnni::table(), "amx", fill_packed_tiles, matmul_tiles, store_tile_row,
                                            attention_tiles, attention_tiles_part);
  return kernels;
}

}  // namespace amx
#endif

namespace scalar {

void matmul_tiles(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch);
void store_tile_row(const float* x, size_t count, size_t columns, size_t row, size_t column, uint16_t* tiles);
void fill_packed_tiles(std::array<PackedKernels, kLayoutCount>& table);
void attention_tiles(const Kernels& kernels, const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end,
                     std::byte* scratch);
void attention_tiles_part(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                          float* part, std::byte* scratch);

}  // namespace scalar

const Kernels& emulated_tile_kernels() {
  static const Kernels kernels =
      with_tiles(scalar::table(), "emulated", scalar::fill_packed_tiles, scalar::matmul_tiles, scalar::store_tile_row,
                 scalar::attention_tiles, scalar::attention_tiles_part);
  return kernels;
}

std::span<const KernelSet> kernel_sets() {
  static constexpr KernelSet sets[] = {
      {"scalar", scalar::table},
#if defined(__x86_64__)
      {"amx", amx::table},       {"avx512vnni", avx512vnni::table}, {"avxvnni", avxvnni::table}, {"avx2", avx2::table},
#elif defined(__aarch64__)
      {"i8mm", i8mm::table},
      {"neon", neon::table},
#endif
  };
  return sets;
}

const Kernels* find_kernels(std::string_view name) {
  for (const KernelSet& set : kernel_sets())
    if (set.name == name) return &set.table();
  return nullptr;
}

}  // namespace ingle::core
#endif
