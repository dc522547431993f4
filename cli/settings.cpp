// The table of settings, and how the environment and the configuration file fill them.
#include "cli/settings.h"

#include <array>

#include "assistant/conversations/retention.h"
#include "base/files.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr double max_count = 1u << 30;

/// PATH or PATH:SCALE.
Status check_lora(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (text.empty() || colon == 0) return Error{ErrorCode::invalid_argument, "names no file; give FILE or FILE:SCALE"};
  return {};
}

/// ID=BIAS or ID:BIAS.
Status check_logit_bias(std::string_view text) {
  const size_t split = text.find_first_of("=:");
  if (split == std::string_view::npos || !parse_integer(text.substr(0, split)) ||
      !parse_number(text.substr(split + 1))) {
    return Error{ErrorCode::invalid_argument, "is not TOKEN=BIAS, as in 42=-1.5"};
  }
  return {};
}

/// "forever" or an age.
Status check_retention(std::string_view text) {
  const auto days = assistant::parse_retention(text);
  return days ? Status() : Status(days.error());
}

/// On or off as the profile says, unless somebody names it.
constexpr Option module_toggle(std::string_view name, std::string_view help) {
  return {.name = name,
          .type = ValueType::toggle,
          .help = help,
          .fallback_note = "as the profile says",
          .group = group_modules};
}

constexpr auto settings = std::to_array<Option>({
    // General
    {.name = "quiet",
     .letter = 'q',
     .type = ValueType::toggle,
     .help = "no notices and no progress on stderr",
     .fallback = "false",
     .group = group_general},
    {.name = "color",
     .type = ValueType::choice,
     .metavar = "WHEN",
     .help = "colours on a terminal: auto, always or never",
     .fallback = "auto",
     .choices = "auto always never",
     .group = group_general},
    {.name = "store",
     .type = ValueType::path,
     .metavar = "FOLDER",
     .help = "where models are kept",
     .fallback_note = "$XDG_DATA_HOME/ingle",
     .group = group_general},
    {.name = "catalogue",
     .type = ValueType::path,
     .metavar = "FILE",
     .help = "a catalogue of further models, merged over the built-in one",
     .repeatable = true,
     .group = group_general},
    {.name = "offline",
     .type = ValueType::toggle,
     .help = "never touch the network",
     .fallback = "false",
     .group = group_general},
    // Engine
    {.name = "model",
     .letter = 'm',
     .type = ValueType::model,
     .metavar = "MODEL",
     .help = "the model to use where none is named",
     .fallback_note = "chosen by free memory, see 'ingle doctor'",
     .group = group_engine},
    {.name = "ctx",
     .letter = 'c',
     .type = ValueType::integer,
     .metavar = "N",
     .help = "context length in tokens",
     .fallback_note = "what the model and the memory allow",
     .minimum = 1,
     .maximum = max_count,
     .group = group_engine},
    {.name = "threads",
     .letter = 't',
     .type = ValueType::integer,
     .metavar = "N",
     .help = "threads to compute with",
     .fallback_note = "one per core, much slower ones left out",
     .minimum = 1,
     .maximum = 1024,
     .group = group_engine},
    {.name = "pin",
     .type = ValueType::choice,
     .metavar = "HOW",
     .help = "where threads run: on, each on a core of its own; auto, on the faster kind of cores where they suffice",
     .fallback = "auto",
     .choices = "auto on off",
     .group = group_engine},
    {.name = "batch",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "most tokens of a prompt computed at once; 0: 512, or 256 where 512 would take much memory",
     .fallback = "0",
     .minimum = 0,
     .maximum = 65536,
     .group = group_engine},
    {.name = "precision",
     .type = ValueType::choice,
     .metavar = "MODE",
     .help = "arithmetic: normal is fast, reference is 32-bit floats throughout",
     .fallback = "normal",
     .choices = "normal reference",
     .group = group_engine},
    {.name = "kv-cache",
     .type = ValueType::choice,
     .metavar = "FORMAT",
     .help = "how keys and values of the context are kept: f16, q8_0 takes half of its memory, q4_0 a quarter",
     .fallback = "q8_0",
     .choices = "f16 q8_0 q4_0",
     .group = group_engine},
    {.name = "deterministic",
     .type = ValueType::toggle,
     .help = "the same bits for any --batch, also where a tile unit (amx) computes long prompts faster",
     .fallback = "false",
     .group = group_engine},
    {.name = "plan",
     .type = ValueType::toggle,
     .help = "let values share memory by when they live; --no-plan gives each its own, to compare",
     .fallback = "true",
     .group = group_engine},
    {.name = "isa",
     .type = ValueType::text,
     .metavar = "NAME",
     .help = "force an instruction set (scalar, avx2, avxvnni, avx512vnni, amx, neon, i8mm)",
     .fallback_note = "the best that works",
     .group = group_engine},
    {.name = "require",
     .type = ValueType::text,
     .metavar = "DEVICE",
     .help = "refuse to run on anything else: cpu, or an instruction set as 'ingle doctor' lists them",
     .fallback_note = "what works best runs",
     .group = group_engine},
    {.name = "lora",
     .type = ValueType::path,
     .metavar = "FILE[:SCALE]",
     .help = "a LoRA adapter in GGUF",
     .repeatable = true,
     .group = group_engine,
     .check = check_lora},
    {.name = "memory",
     .type = ValueType::bytes,
     .metavar = "SIZE",
     .help = "most memory to use, as in 4G",
     .fallback_note = "what is free",
     .group = group_engine},
    {.name = "lookup",
     .type = ValueType::toggle,
     .help = "guess that words are followed by what followed them before, and check several tokens at once; the text "
             "stays the same",
     .fallback = "true",
     .group = group_engine},
    {.name = "draft",
     .type = ValueType::model,
     .metavar = "MODEL",
     .help = "a smaller model of the same vocabulary that proposes tokens (run, chat); the text stays the same",
     .group = group_engine},
    {.name = "packed-cache",
     .type = ValueType::bytes,
     .metavar = "SIZE",
     .help = "most disk space for packed weights, which make the next start fast; 0: keep none",
     .fallback = "16G",
     .group = group_engine},
    // Sampling
    {.name = "temp",
     .type = ValueType::number,
     .metavar = "T",
     .help = "temperature; 0 always takes the likeliest token",
     .fallback_note = "the model's, or 0.8",
     .minimum = 0,
     .maximum = 100,
     .group = group_sampling},
    {.name = "top-k",
     .type = ValueType::integer,
     .metavar = "K",
     .help = "only the K likeliest tokens; 0: all",
     .fallback_note = "the model's",
     .minimum = 0,
     .maximum = max_count,
     .group = group_sampling},
    {.name = "top-p",
     .type = ValueType::number,
     .metavar = "P",
     .help = "only the likeliest tokens that together reach P",
     .fallback_note = "the model's",
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     .group = group_sampling},
    {.name = "min-p",
     .type = ValueType::number,
     .metavar = "P",
     .help = "only tokens at least P times as likely as the likeliest",
     .fallback_note = "the model's",
     .minimum = 0,
     .maximum = 1,
     .group = group_sampling},
    {.name = "typical",
     .type = ValueType::number,
     .metavar = "P",
     .help = "locally typical sampling; 1: off",
     .fallback = "1",
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     .group = group_sampling},
    {.name = "xtc-probability",
     .type = ValueType::number,
     .metavar = "P",
     .help = "how often to exclude the top choices (XTC); 0: off",
     .fallback = "0",
     .minimum = 0,
     .maximum = 1,
     .group = group_sampling},
    {.name = "xtc-threshold",
     .type = ValueType::number,
     .metavar = "P",
     .help = "how likely a token is a top choice",
     .fallback = "0.1",
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     .group = group_sampling},
    {.name = "repeat-penalty",
     .type = ValueType::number,
     .metavar = "X",
     .help = "makes tokens that occurred less likely; 1: off",
     .fallback_note = "the model's",
     .minimum = 0,
     .maximum = 100,
     .above_minimum = true,
     .group = group_sampling},
    {.name = "frequency-penalty",
     .type = ValueType::number,
     .metavar = "X",
     .help = "subtracted for each time that a token occurred",
     .fallback = "0",
     .minimum = -100,
     .maximum = 100,
     .group = group_sampling},
    {.name = "presence-penalty",
     .type = ValueType::number,
     .metavar = "X",
     .help = "subtracted once for a token that occurred",
     .fallback = "0",
     .minimum = -100,
     .maximum = 100,
     .group = group_sampling},
    {.name = "repeat-last-n",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "how many tokens back the penalties look; -1: all",
     .fallback = "64",
     .minimum = -1,
     .maximum = max_count,
     .group = group_sampling},
    {.name = "dry-multiplier",
     .type = ValueType::number,
     .metavar = "X",
     .help = "penalty on repeating a sequence (DRY); 0: off",
     .fallback = "0",
     .minimum = 0,
     .maximum = 100,
     .group = group_sampling},
    {.name = "dry-base",
     .type = ValueType::number,
     .metavar = "X",
     .help = "how fast that penalty grows with length",
     .fallback = "1.75",
     .minimum = 1,
     .maximum = 100,
     .group = group_sampling},
    {.name = "dry-allowed-length",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "the longest repetition without penalty",
     .fallback = "2",
     .minimum = 1,
     .maximum = max_count,
     .group = group_sampling},
    {.name = "dry-last-n",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "how many tokens back DRY looks; -1: all",
     .fallback = "-1",
     .minimum = -1,
     .maximum = max_count,
     .group = group_sampling},
    {.name = "dry-breaker",
     .type = ValueType::text,
     .metavar = "TEXT",
     .help = "text at which a repetition ends",
     .fallback_note = "newline : \" *",
     .repeatable = true,
     .group = group_sampling},
    {.name = "mirostat",
     .type = ValueType::choice,
     .metavar = "N",
     .help = "2 steers surprise instead of truncating",
     .fallback = "0",
     .choices = "0 2",
     .group = group_sampling},
    {.name = "mirostat-tau",
     .type = ValueType::number,
     .metavar = "X",
     .help = "the surprise to aim at, in bits",
     .fallback = "5",
     .minimum = 0,
     .maximum = 100,
     .above_minimum = true,
     .group = group_sampling},
    {.name = "mirostat-eta",
     .type = ValueType::number,
     .metavar = "X",
     .help = "how fast mirostat corrects",
     .fallback = "0.1",
     .minimum = 0,
     .maximum = 1,
     .group = group_sampling},
    {.name = "logit-bias",
     .type = ValueType::text,
     .metavar = "ID=BIAS",
     .help = "added to the logit of one token",
     .repeatable = true,
     .group = group_sampling,
     .check = check_logit_bias},
    {.name = "seed",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "same seed, same text",
     .fallback_note = "different every time",
     .minimum = 0,
     .group = group_sampling},
    {.name = "max-tokens",
     .letter = 'n',
     .type = ValueType::integer,
     .metavar = "N",
     .help = "most tokens to write; 0: until the model stops or the context is full",
     .fallback = "0",
     .minimum = 0,
     .maximum = max_count,
     .group = group_sampling},
    {.name = "stop",
     .type = ValueType::text,
     .metavar = "TEXT",
     .help = "end before this text",
     .repeatable = true,
     .group = group_sampling},
    // Chat
    {.name = "system",
     .letter = 's',
     .type = ValueType::text,
     .metavar = "TEXT",
     .help = "the system prompt",
     .fallback_note = "the template's own",
     .group = group_chat},
    {.name = "think",
     .type = ValueType::toggle,
     .help = "let a model that can think do so first",
     .fallback_note = "the model's way",
     .group = group_chat},
    {.name = "temporary",
     .type = ValueType::toggle,
     .help = "keep nothing of a chat",
     .fallback = "false",
     .group = group_chat},
    {.name = "accept-template",
     .type = ValueType::toggle,
     .help = "accept a model's own chat template for good, though it is none of the published ones",
     .fallback = "false",
     .group = group_chat},
    // Server
    {.name = "host",
     .type = ValueType::text,
     .metavar = "H",
     .help = "address to listen on; one that other machines reach needs keys and TLS",
     .fallback = "127.0.0.1",
     .group = group_server},
    {.name = "port",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "port to listen on; 0: any that is free",
     .fallback = "11911",
     .minimum = 0,
     .maximum = 65535,
     .group = group_server},
    {.name = "socket",
     .type = ValueType::path,
     .metavar = "PATH",
     .help = "Unix socket to listen on, too, which only you can use; 'none' for none",
     .fallback_note = "$XDG_RUNTIME_DIR/ingle/server.sock",
     .group = group_server},
    {.name = "tls-cert",
     .type = ValueType::path,
     .metavar = "FILE",
     .help = "certificate in PEM, with those between it and its root; the port then speaks TLS only",
     .group = group_server},
    {.name = "tls-key",
     .type = ValueType::path,
     .metavar = "FILE",
     .help = "its private key in PEM, without a passphrase, which nobody else may read",
     .group = group_server},
    {.name = "insecure-http",
     .type = ValueType::toggle,
     .help = "let other machines ask without TLS; keys, prompts and answers cross the network readable",
     .fallback = "false",
     .group = group_server},
    {.name = "allow-origin",
     .type = ValueType::text,
     .metavar = "ORIGIN",
     .help = "pages of this origin may ask, as in https://example.org",
     .repeatable = true,
     .group = group_server},
    {.name = "allow-host",
     .type = ValueType::text,
     .metavar = "NAME",
     .help = "a name by which the server may be called, beside localhost and its address",
     .repeatable = true,
     .group = group_server},
    {.name = "prefix-cache",
     .type = ValueType::bytes,
     .metavar = "SIZE",
     .help =
         "most disk space for what was computed of conversations, which lets them go on fast after a restart; 0: none",
     .fallback_note = "2G, or less by the profile",
     .group = group_server},
    {.name = "keep-conversations",
     .type = ValueType::text,
     .metavar = "AGE",
     .help = "delete conversations that nobody touched for so long, but pinned ones: 30d, 8w, 6m, 1y; or 'forever'",
     .fallback_note = "as the app's settings say, and they say forever at first",
     .group = group_server,
     .check = check_retention},
    {.name = "adapt",
     .type = ValueType::toggle,
     .help = "leave cores to other programs while they need them, and spare a hot device or a low battery",
     .fallback = "true",
     .group = group_server},
    // Modules (assistant/core/modules.h); what each means when it is off stands there and in docs/modules.md.
    {.name = "profile",
     .type = ValueType::choice,
     .metavar = "NAME",
     .help = "how much of the assistant to carry: full, light or minimal; auto chooses by memory and cores",
     .fallback = "auto",
     .choices = "auto full light minimal",
     .group = group_modules},
    module_toggle("module-engine", "load models and answer; without, conversations can be read and searched"),
    module_toggle("module-memory", "plan memory, keep packed weights and conversations on disk, several models"),
    module_toggle("module-hardware", "use the fastest instructions and all cores, follow the device's load"),
    module_toggle("module-extensions", "find what was added to the assistant"),
    module_toggle("module-sandbox", "run each model in a confined process; without, documents and plugins are refused"),
    module_toggle("module-updates", "tell whether a newer version is known"),
    {.name = "update-file",
     .type = ValueType::path,
     .metavar = "FILE",
     .help = "what describes the newest version; nothing is fetched",
     .fallback_note = "$XDG_DATA_HOME/ingle/update.json",
     .group = group_modules},
});

constexpr auto groups =
    std::to_array<Group>({group_engine, group_sampling, group_chat, group_server, group_modules, group_general});

}  // namespace

std::span<const Option> all_settings() {
  return settings;
}
std::span<const Group> all_groups() {
  return groups;
}

const Option* find_setting(std::string_view name) {
  for (const Option& option : settings) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string_view group_title(Group group) {
  switch (group) {
    case group_general:
      return "General";
    case group_engine:
      return "Engine";
    case group_sampling:
      return "Sampling";
    case group_chat:
      return "Chat";
    case group_server:
      return "Server";
    case group_modules:
      return "Modules";
    case group_talk:
    case group_none:
    case group_all:
      break;
  }
  return "";
}

Status apply_config_file(Values& values, const std::filesystem::path& path) {
  INGLE_TRY(auto file, read_config_file(path));
  Values unused;
  for (auto& [name, value] : file) {
    const Option* option = find_setting(name);
    const std::string where = path.string() + ":" + std::to_string(value.line);
    INGLE_CHECK((values.has(name) ? values : unused).set(*option, std::move(value.texts), Origin::config_file, where));
  }
  return {};
}

Status apply_environment(Values& values, const Environment& environment) {
  for (const Option& option : settings) {
    const std::string variable = environment_name(option.name);
    const std::string* text = environment.find(variable);
    // An empty variable counts as none, as for most programs: it is how one switches it off for a single call.
    if (text == nullptr || text->empty() || !values.has(option.name)) continue;
    std::vector<std::string> texts;
    if (option.repeatable) {
      // Several values stand on lines of their own: every other separator may occur in a text.
      for (size_t start = 0; start <= text->size();) {
        const size_t end = std::min(text->find('\n', start), text->size());
        if (end > start) texts.push_back(text->substr(start, end - start));
        start = end + 1;
      }
    } else {
      texts.push_back(*text);
    }
    INGLE_CHECK(values.set(option, std::move(texts), Origin::environment, variable));
  }
  return {};
}

std::vector<std::string> unknown_variables(const Environment& environment) {
  std::vector<std::string> out;
  for (const auto& [name, value] : environment.all()) {
    if (!name.starts_with("INGLE_") || name == "INGLE_CONFIG") continue;
    bool known = false;
    for (const Option& option : settings) known = known || environment_name(option.name) == name;
    if (!known) out.push_back(name);
  }
  return out;
}

}  // namespace ingle::cli
