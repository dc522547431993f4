// ingle list [--available]
#include <algorithm>

#include "cli/models.h"
#include "cli/system.h"

namespace ingle::cli {
namespace {

using base::Status;

struct Row {
  std::string name, size, parameters, quantisation, memory, state;
};

std::string parameters_text(uint64_t parameters) {
  if (parameters == 0) return "";
  const double millions = static_cast<double>(parameters) / 1e6;
  return millions >= 950 ? show_fixed(millions / 1000, 1) + "B" : show_fixed(millions, 0) + "M";
}

std::string table_of(const Terminal& terminal, const std::vector<Row>& rows) {
  const std::vector<std::string Row::*> columns = {&Row::name,         &Row::size,   &Row::parameters,
                                                   &Row::quantisation, &Row::memory, &Row::state};
  const std::vector<std::string_view> titles = {"NAME", "SIZE", "PARAMETERS", "FORMAT", "NEEDS ABOUT", ""};
  std::string out;
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns.size(); ++c) {
    size_t width = titles[c].size();
    for (const Row& row : rows) width = std::max(width, display_width(row.*columns[c]));
    widths.push_back(width);
  }
  const auto add_line = [&](const auto& cell, Style style) {
    std::string line;
    for (size_t c = 0; c < columns.size(); ++c) {
      const bool right = c == 1 || c == 2 || c == 4;
      line += (c == 0 ? "" : "  ") + pad(cell(c), widths[c], right);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += terminal.styled_out(style, line) + "\n";
  };
  add_line([&](size_t c) { return std::string(titles[c]); }, Style::bold);
  for (const Row& row : rows) add_line([&](size_t c) { return row.*columns[c]; }, Style::plain);
  return out;
}

void fill_from_entry(Row& row, const store::CatalogueEntry* entry) {
  if (entry == nullptr) return;
  row.parameters = parameters_text(entry->parameters);
  row.quantisation = entry->quantisation;
  row.memory = show_bytes(entry->memory_bytes);
}

Status list_installed(Session& session, const store::Store& store) {
  INGLE_TRY(const auto models, store.list());
  if (session.json()) {
    base::Json out = base::Json::array();
    for (const store::InstalledModel& model : models) {
      out.push_back({{"name", model.name},
                     {"path", model.path.string()},
                     {"bytes", model.bytes},
                     {"sha256", model.sha256},
                     {"source", model.source},
                     {"installed_at", model.installed_at}});
    }
    return session.out_json(out);
  }
  if (models.empty()) {
    session.terminal.notice("ingle: no model is installed; 'ingle list --all' shows what can be fetched");
    return {};
  }
  std::vector<Row> rows;
  for (const store::InstalledModel& model : models) {
    Row row{.name = model.name, .size = show_bytes(model.bytes)};
    fill_from_entry(row, store.catalogue().find(model.name));
    rows.push_back(std::move(row));
  }
  return session.terminal.out(table_of(session.terminal, rows));
}

Status list_available(Session& session, const store::Store& store) {
  const uint64_t free = free_memory_bytes();
  std::vector<Row> rows;
  base::Json out = base::Json::array();
  for (const store::CatalogueEntry& entry : store.catalogue().entries()) {
    const bool installed = store.resolve(entry.name).ok();
    const bool fits = free == 0 || entry.memory_bytes <= free;
    Row row{.name = entry.name, .size = show_bytes(entry.size_bytes)};
    fill_from_entry(row, &entry);
    row.state = installed ? "installed" : fits ? "" : "needs more memory than is free";
    rows.push_back(std::move(row));
    out.push_back({{"name", entry.name},
                   {"description", entry.description},
                   {"architecture", entry.architecture},
                   {"parameters", entry.parameters},
                   {"quantisation", entry.quantisation},
                   {"licence", entry.licence.name},
                   {"bytes", entry.size_bytes},
                   {"memory_bytes", entry.memory_bytes},
                   {"context_length", entry.context_length},
                   {"chat", entry.chat},
                   {"installed", installed},
                   {"fits", fits}});
  }
  return session.json() ? session.out_json(out) : session.terminal.out(table_of(session.terminal, rows));
}

Status run(Session& session) {
  INGLE_TRY(const auto store, open_store(session));
  return session.values.flag("all") ? list_available(session, store) : list_installed(session, store);
}

constexpr Option options[] = {
    {.name = "all", .letter = 'a', .help = "what the catalogue has, installed or not"},
    json_option,
};

}  // namespace

extern const Command list_record;
const Command list_record{
    .name = "list",
    .alias = "ls",
    .summary = "list the models that are installed",
    .options = options,
    .order = 21,
    .run = run,
};

}  // namespace ingle::cli
