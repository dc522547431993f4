// ingle synth SHAPE -o FILE: a model file with the shape of a well-known model and random weights.
#include "core/synth/synth.h"

#include <system_error>

#include "base/utf8.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "core/synth/vocabulary.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

Json list_json() {
  Json shapes = Json::array();
  for (const core::Shape& shape : core::all_shapes()) {
    Json sizes = Json::object();
    for (const core::Mix& mix : core::all_mixes()) sizes[std::string(mix.name)] = core::tensor_bytes_of(mix, shape);
    shapes.push_back({{"name", shape.name},
                      {"architecture", shape.architecture},
                      {"parameters", core::parameters_of(shape)},
                      {"layers", shape.layers},
                      {"width", shape.width},
                      {"vocabulary", shape.vocabulary},
                      {"context_length", shape.context},
                      {"tensor_bytes", sizes}});
  }
  return shapes;
}

/// Sizes in GB, so that eighty columns hold them; bf16 takes what f16 takes.
std::string list_text(const Terminal& terminal) {
  constexpr size_t name_width = 12, parameters_width = 11, size_width = 6;
  std::string title = pad("SHAPE", name_width) + pad("PARAMETERS", parameters_width, true);
  for (const core::Mix& mix : core::all_mixes())
    if (mix.name != "bf16") title += pad(mix.name, size_width + 1, true);
  std::string out = terminal.styled_out(Style::bold, title) + "\n";
  for (const core::Shape& shape : core::all_shapes()) {
    out += pad(shape.name, name_width);
    const auto millions = static_cast<double>(core::parameters_of(shape)) / 1e6;
    out += pad(show_fixed(millions, 0) + "M", parameters_width, true);
    for (const core::Mix& mix : core::all_mixes()) {
      if (mix.name == "bf16") continue;
      const auto gigabytes = static_cast<double>(core::tensor_bytes_of(mix, shape)) / 1e9;
      out += pad(show_fixed(gigabytes, 2), size_width + 1, true);
    }
    out += "\n";
  }
  return out + "Sizes of the weights in GB by --mix; bf16 takes what f16 takes.\n";
}

std::string shape_names() {
  std::string out;
  for (const core::Shape& shape : core::all_shapes()) {
    if (!out.empty()) out += ", ";
    out += shape.name;
  }
  return out;
}

Result<core::SyntheticModel> chosen_model(const Session& session) {
  const Values& values = session.values;
  const std::string name = session.argument(0);
  if (name.empty()) return Error{ErrorCode::invalid_argument, "no shape named; the shapes are " + shape_names()};
  const core::Shape* shape = core::find_shape(name);
  if (shape == nullptr) {
    return Error{ErrorCode::invalid_argument,
                 "'" + name + "' is no shape that ingle knows; the shapes are " + shape_names()};
  }
  core::SyntheticModel model{.shape = *shape,
                             .mix = *core::find_mix(values.text("mix")),
                             .seed = static_cast<uint64_t>(values.integer("seed"))};
  if (values.is_set("layers")) model.shape.layers = static_cast<uint32_t>(values.integer("layers"));
  if (values.is_set("vocabulary")) model.shape.vocabulary = static_cast<uint32_t>(values.integer("vocabulary"));
  return model;
}

/// Where to write. Errors: invalid_argument where there is something that may not be replaced.
Result<std::filesystem::path> chosen_path(const Session& session) {
  const std::string text = session.values.text("output");
  if (text.empty()) return Error{ErrorCode::invalid_argument, "-o is missing; name the file to write"};
  std::filesystem::path path = expand_home(text, session.environment);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return path;
  if (!std::filesystem::is_regular_file(status))
    return Error{ErrorCode::invalid_argument, text + " is there and not a file; name another"};
  if (!session.values.flag("force"))
    return Error{ErrorCode::invalid_argument, text + " is there already; --force replaces it"};
  return path;
}

Status list_shapes(const Session& session) {
  return session.json() ? session.out_json(list_json()) : session.terminal.out(list_text(session.terminal));
}

Status run(Session& session) {
  const bool nothing_asked = session.arguments.empty() && session.values.text("output").empty();
  if (session.values.flag("list") || nothing_asked) return list_shapes(session);
  INGLE_TRY(const core::SyntheticModel model, chosen_model(session));
  INGLE_TRY(const std::filesystem::path path, chosen_path(session));

  ProgressLine line(session.terminal);
  const std::string what = "writing " + base::escape_controls(path.filename().string());
  const auto progress = [&](uint64_t written, uint64_t total) {
    line.update(what, static_cast<double>(written) / static_cast<double>(total),
                show_bytes(written) + " of " + show_bytes(total));
    return !interrupted();
  };
  INGLE_TRY(const uint64_t bytes, core::write_synthetic(path, model, progress));
  line.clear();
  const std::string shape(model.shape.name), mix(model.mix.name);
  const uint64_t parameters = core::parameters_of(model.shape);
  if (session.json()) {
    return session.out_json({{"path", path.string()},
                             {"shape", shape},
                             {"mix", mix},
                             {"seed", model.seed},
                             {"layers", model.shape.layers},
                             {"vocabulary", model.shape.vocabulary},
                             {"parameters", parameters},
                             {"bytes", bytes}});
  }
  return session.terminal.out_foreign(path.string() + ": " + shape + " with random weights, " + mix + ", " +
                                      std::to_string(parameters) + " parameters (" + show_bytes(bytes) + ")\n");
}

constexpr Argument arguments[] = {
    {.name = "SHAPE", .help = "whose shape; without one the shapes are listed", .asked = "shapes"}};
constexpr Option options[] = {
    {.name = "output", .letter = 'o', .type = ValueType::path, .metavar = "FILE", .help = "the file to write"},
    {.name = "mix",
     .type = ValueType::choice,
     .metavar = "NAME",
     .help = "q4_0, q4_1, q4_k_m, q5_k_m, q6_k, q8_0, f16, bf16 or f32",
     .fallback = "q4_k_m",
     .choices = "q4_0 q4_1 q4_k_m q5_k_m q6_k q8_0 f16 bf16 f32"},
    {.name = "seed",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "same seed, same file",
     .fallback = "0",
     .minimum = 0},
    {.name = "layers",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "another number of layers",
     .fallback_note = "the shape's",
     .minimum = 1,
     .maximum = 1024},
    {.name = "vocabulary",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "another number of tokens",
     .fallback_note = "the shape's",
     .minimum = core::kMinVocabulary,
     .maximum = core::kMaxVocabulary},
    {.name = "force", .help = "replace FILE if it is there"},
    {.name = "list", .help = "list the shapes and their sizes"},
    json_option,
};
constexpr Example examples[] = {
    {"ingle synth", "The shapes, their parameters and their sizes."},
    {"ingle synth qwen2.5-7b -o 7b.gguf && ingle bench 7b.gguf", "How fast a 7B model would be on this machine."},
    {"ingle synth llama-2-7b --mix q8_0 --layers 4 -o short.gguf", "An eighth of its layers, in 8 bits."},
};

}  // namespace

extern const Command synth_record;
const Command synth_record{
    .name = "synth",
    .summary = "write a model with random weights, to measure speed and memory",
    .description =
        "Speed and memory of a model do not depend on what its weights say. This writes a GGUF file with the tensors, "
        "number formats and metadata of a well-known model and random numbers in them: it loads and runs, here and in "
        "other programs, and its text is noise.\n\n"
        "The mixes are those of llama.cpp's quantiser: q4_k_m, for one, keeps the output matrix and, in half of the "
        "layers, the most sensitive matrices in 6 bits. Rows that have no whole blocks of a format fall back to "
        "another. Rows are drawn from a pool of encoded random pieces, so the weights repeat themselves where a "
        "trained model's do not. The vocabulary is made up too: it has the right size, and cuts text into other tokens "
        "than the model's own.",
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .order = 62,
    .run = run,
};

}  // namespace ingle::cli
