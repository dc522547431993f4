// File tensors into panels of 16 rows, as core/kernels/packed.h describes them.
#pragma once

#include <cstddef>

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"

namespace ingle::core {

/// The shape of the packed form; `data` is left null.
PackedMatrix plan_packed(const MatrixSource& source);
/// Bytes of the packed form, a multiple of 64.
size_t packed_bytes(const PackedMatrix& matrix);
/// Whether products may take 8-bit activations.
bool takes_quantized(const MatrixSource& source);
/// Packs panels [begin, end) of `source` to where matrix.data points.
void pack_panels(const MatrixSource& source, const PackedMatrix& matrix, size_t begin, size_t end);
/// The same, with the source's rows from panel `begin` on at `rows` instead of where source.data says.
void pack_panels(const MatrixSource& source, const PackedMatrix& matrix, size_t begin, size_t end,
                 const std::byte* rows);

}  // namespace ingle::core
