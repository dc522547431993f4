// ingle inspect MODEL: what a model's file consists of, as the app's model view shows it: operations layer by layer,
// tensors, what one tensor's numbers are like, and what was lost against another file of the same model.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "base/utf8.h"
#include "cli/composition.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"

namespace ingle::cli {
namespace {

using base::Json;
using base::Result;
using base::Status;

constexpr size_t kNameWidth = 34;

assistant::ModelViewer viewer() {
  return assistant::ModelViewer(viewer_options());
}

/// A file's texts may hold anything, also what a terminal obeys.
std::string shown(const Json& text) {
  return base::escape_controls(text.get<std::string>());
}

std::string show_bits(const Json& of) {
  return show_fixed(of["bytes"].get<double>() * 8 / std::max(of["elements"].get<double>(), 1.0), 2);
}

std::string show_dims(const Json& tensor) {
  std::string text;
  for (const Json& dim : tensor["dims"]) text += (text.empty() ? "" : " x ") + dim.dump();
  return text;
}

/// "0.42 %", of a squared error as a share: its root, as people speak of errors.
std::string show_error(const Json& nmse) {
  if (nmse.is_null()) return "infinite";
  const double share = std::sqrt(nmse.get<double>());
  if (share == 0) return "none";
  return show_fixed(share * 100, share < 0.001 ? 4 : 2) + " %";
}

std::string show_decibels(const Json& nmse) {
  if (nmse.is_null() || nmse.get<double>() == 0) return "";
  return show_fixed(-10 * std::log10(nmse.get<double>()), 1) + " dB";
}

/// "heads 9, of keys 3, 64 wide, window 512": what an operation does, but for its weights.
std::string details(const Json& op) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (op.contains("attention")) {
    const Json& attention = op["attention"];
    add(attention["heads"].dump() + " heads, " + attention["kv_heads"].dump() + " of keys and values, " +
        attention["head_dim"].dump() + " wide");
    if (attention["window"] != 0) add("window " + attention["window"].dump());
    if (attention["softcap"] != 0) add("soft cap " + attention["softcap"].dump());
  }
  if (op.contains("activation")) add(op["activation"].get<std::string>());
  if (op.contains("factor")) add("times " + show_fixed(op["factor"].get<double>(), 4));
  if (op.contains("cap")) add("cap " + op["cap"].dump());
  return text;
}

std::string operation_line(const Json& op, const std::map<std::string, const Json*>& tensors) {
  std::string line = "  " + pad(op["op"].get<std::string>(), 12) + pad(op["width"].dump(), 8, true) + "  ";
  std::string weights;
  for (const Json& weight : op["weights"]) {
    const auto found = tensors.find(weight["tensor"].get<std::string>());
    const std::string format = found == tensors.end() ? "" : " " + (*found->second)["format"].get<std::string>();
    weights += (weights.empty() ? "" : ", ") + shown(weight["tensor"]) + format;
  }
  const std::string more = details(op);
  return line + weights + (weights.empty() || more.empty() ? "" : "; ") + more + "\n";
}

std::string block_title(const Json& block, int64_t last) {
  if (block["kind"] != "layer") return block["kind"] == "input" ? "Input" : "Output";
  const int64_t first = block["layer"];
  if (first == last) return "Layer " + std::to_string(first);
  return "Layers " + std::to_string(first) + " to " + std::to_string(last) + ", alike; of the first:";
}

std::string operations_text(const Terminal& terminal, const Json& anatomy) {
  std::map<std::string, const Json*> tensors;
  for (const Json& tensor : anatomy["tensors"]) tensors[tensor["name"].get<std::string>()] = &tensor;
  std::string out;
  const Json& blocks = anatomy["blocks"];
  for (size_t i = 0; i < blocks.size(); ++i) {
    size_t end = i + 1;
    while (blocks[i]["kind"] == "layer" && end < blocks.size() && blocks[end]["kind"] == "layer" &&
           blocks[end]["like"] == blocks[i]["like"])
      ++end;
    out += "\n" + terminal.styled_out(Style::bold, block_title(blocks[i], blocks[end - 1].value("layer", int64_t{0}))) +
           "\n";
    for (const Json& op : blocks[i]["ops"]) out += operation_line(op, tensors);
    i = end - 1;
  }
  return out;
}

std::string tensors_text(const Json& anatomy) {
  std::string out;
  for (const Json& tensor : anatomy["tensors"])
    out += pad(shown(tensor["name"]), kNameWidth) + "  " + pad(tensor["format"].get<std::string>(), 7) +
           pad(show_dims(tensor), 16, true) + pad(show_bytes(tensor["bytes"]), 11, true) +
           pad(show_bits(tensor), 7, true) + " bits\n";
  return out;
}

std::string anatomy_text(const Terminal& terminal, const Json& anatomy) {
  std::string out = terminal.styled_out(Style::bold, shown(anatomy["architecture"])) + ", " +
                    anatomy["parameters"].dump() + " parameters, " + show_bytes(anatomy["tensor_bytes"]) + " in " +
                    std::to_string(anatomy["tensors"].size()) + " tensors (" + anatomy["container"].get<std::string>() +
                    ")\n";
  for (const Json& format : anatomy["formats"])
    out += "  " + pad(format["name"].get<std::string>(), 8) + pad(format["tensors"].dump(), 5, true) + " tensors" +
           pad(show_bytes(format["bytes"]), 11, true) + pad(show_bits(format), 7, true) + " bits a weight\n";
  if (anatomy.contains("reason")) return out + "\nIts operations are not known: " + shown(anatomy["reason"]) + "\n";
  return out + operations_text(terminal, anatomy);
}

/// Counts span many powers of ten, and the outliers matter: bars grow with their logarithm.
std::string histogram_text(const Json& statistics) {
  constexpr size_t kRows = 16;
  constexpr double kWidth = 40;
  const Json& counts = statistics["histogram"];
  const double low = statistics["min"], step = (statistics["max"].get<double>() - low) / kRows;
  std::string out;
  double most = 1;
  std::vector<double> rows(kRows);
  for (size_t i = 0; i < counts.size(); ++i) rows[i * kRows / counts.size()] += counts[i].get<double>();
  for (const double row : rows) most = std::max(most, row);
  for (size_t i = 0; i < kRows; ++i) {
    const double length = rows[i] == 0 ? 0 : 1 + (kWidth - 1) * std::log(rows[i]) / std::max(std::log(most), 1e-9);
    out += pad(show_fixed(low + step * static_cast<double>(i), 4), 12, true) + "  ";
    for (size_t drawn = 0; drawn < static_cast<size_t>(length); ++drawn) out += "█";
    out += (rows[i] == 0 ? "" : " ") + show_fixed(rows[i], 0) + "\n";
  }
  return out;
}

std::string statistics_text(const Json& statistics) {
  const auto number = [&](const char* name) { return show_fixed(statistics[name].get<double>(), 6); };
  std::string out = shown(statistics["tensor"]) + ", " + statistics["format"].get<std::string>() + ", " +
                    statistics["elements"].dump() + " numbers: mean " + number("mean") + ", deviation " +
                    number("deviation") + ", from " + number("min") + " to " + number("max") + ", " +
                    statistics["zeros"].dump() + " zeros";
  if (const uint64_t odd = statistics["elements"].get<uint64_t>() - statistics["finite"].get<uint64_t>(); odd > 0)
    out += ", " + std::to_string(odd) + " not finite";
  return out + "\n\n" + histogram_text(statistics) + "(bars grow with the logarithm of the count)\n";
}

std::string pair_line(const Json& pair) {
  return pad(shown(pair["tensor"]), kNameWidth) + "  " +
         pad(pair["format"].get<std::string>() + " / " + pair["reference_format"].get<std::string>(), 14) +
         pad(show_error(pair["nmse"]), 10, true) + pad(show_decibels(pair["nmse"]), 10, true) + "  most " +
         show_fixed(pair["max_error"].get<double>(), 5) + "\n";
}

Status compare(const Session& session, const std::filesystem::path& model, const std::string& against) {
  INGLE_TRY(const store::InstalledModel reference, local_model(session, against));
  ProgressLine progress(session.terminal);
  Json pairs = Json::array();
  INGLE_TRY(Json compared, viewer().compare(
                               model, reference.path,
                               [&](const Json& pair) {
                                 progress.update("comparing", pair["done"].get<double>(), shown(pair["tensor"]));
                                 pairs.push_back(pair);
                                 pairs.back().erase("done");
                               },
                               interrupted));
  progress.clear();
  if (session.json()) {
    compared["pairs"] = std::move(pairs);
    return session.out_json(compared);
  }
  std::string out;
  for (const Json& pair : pairs) out += pair_line(pair);
  for (const Json& name : compared["unpaired"]) out += shown(name) + ": only one of the two has it\n";
  return session.terminal.out(out + "\nOf all: " + show_error(compared["nmse"]) + " " +
                              show_decibels(compared["nmse"]) +
                              "\n(the root of the squared error as a share of the reference's square)\n");
}

Status run(Session& session) {
  INGLE_TRY(const store::InstalledModel model, local_model(session, session.argument(0)));
  catch_interrupts();
  const std::string against = session.values.text("against"), tensor = session.values.text("tensor");
  if (!against.empty()) return compare(session, model.path, against);
  if (!tensor.empty()) {
    INGLE_TRY(const Json statistics, viewer().statistics(model.path, tensor, interrupted));
    return session.json() ? session.out_json(statistics) : session.terminal.out(statistics_text(statistics));
  }
  INGLE_TRY(const Json anatomy, viewer().describe(model.path, interrupted));
  if (session.json()) return session.out_json(anatomy);
  return session.terminal.out(session.values.flag("tensors") ? tensors_text(anatomy)
                                                             : anatomy_text(session.terminal, anatomy));
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name or path", .type = ValueType::model, .required = true}};
constexpr Option options[] = {
    {.name = "tensors", .help = "its tensors: format, shape, size, bits a weight"},
    {.name = "tensor", .type = ValueType::text, .metavar = "NAME", .help = "what this tensor's numbers are like"},
    {.name = "against",
     .type = ValueType::model,
     .metavar = "MODEL",
     .help = "how far each tensor is from that of another file of the same model, such as the one it was made from"},
    json_option};

}  // namespace

extern const Command inspect_record;
const Command inspect_record{
    .name = "inspect",
    .summary = "show a model's operations, tensors and their numbers",
    .arguments = arguments,
    .options = options,
    .order = 24,
    .run = run,
};

}  // namespace ingle::cli
