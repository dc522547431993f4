#include "assistant/conversations/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

#include "base/files.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr int kPatienceMs = 5000;  // for another process that writes

ErrorCode code_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::no_space;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return ErrorCode::permission_denied;
    case SQLITE_TOOBIG:
      return ErrorCode::limit_exceeded;
    case SQLITE_NOMEM:
      return ErrorCode::out_of_memory;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      return ErrorCode::io_error;
    default:
      return ErrorCode::internal;
  }
}

int bind(sqlite3_stmt* statement, int place,
         const std::variant<std::nullptr_t, int64_t, std::string_view, Bytes>& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return sqlite3_bind_int64(statement, place, *integer);
  // An empty view may have no address, which SQLite takes for null.
  if (const auto* text = std::get_if<std::string_view>(&value))
    return sqlite3_bind_text64(statement, place, text->empty() ? "" : text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  if (const auto* bytes = std::get_if<Bytes>(&value))
    return sqlite3_bind_blob64(statement, place, bytes->bytes.empty() ? "" : bytes->bytes.data(), bytes->bytes.size(),
                               SQLITE_STATIC);
  return sqlite3_bind_null(statement, place);
}

/// SQLite makes files that all may read where the mask allows it; those beside the database take its mode.
Status make_private_file(const std::filesystem::path& path) {
  const base::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return base::errno_error(errno, "open", path);
  return {};
}

/// A statement goes back to its beginning, so that it holds no lock.
class Reset {
 public:
  explicit Reset(sqlite3_stmt* statement) : statement_(statement) {}
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;
  ~Reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

bool Row::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t Row::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<int64_t> Row::maybe_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::string_view Row::view(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  return {static_cast<const char*>(bytes),
          bytes != nullptr ? static_cast<size_t>(sqlite3_column_bytes(statement_, column)) : 0};
}

std::optional<std::string> Row::maybe_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

Result<Database> Database::open(const std::filesystem::path& path, Mode mode) {
  Database database;
  database.path_ = path;
  if (mode == Mode::create) {
    base::make_private_folder(path.parent_path());
    INGLE_CHECK(make_private_file(path));
  }
  const int flags = mode == Mode::read_only
                        ? SQLITE_OPEN_READONLY
                        : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | (mode == Mode::memory ? SQLITE_OPEN_MEMORY : 0);
  const std::string name = mode == Mode::memory ? ":memory:" : path.string();
  const int opened =
      sqlite3_open_v2(name.c_str(), &database.handle_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (opened != SQLITE_OK) return database.error(opened, "open");
  sqlite3* handle = database.handle_;
  sqlite3_busy_timeout(handle, kPatienceMs);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 1);
  return database;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      path_(std::move(other.path_)),
      statements_(std::exchange(other.statements_, {})) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(path_, other.path_);
  std::swap(statements_, other.statements_);
  return *this;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Error Database::error(int code, std::string_view doing) const {
  const std::string said = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const std::string name = path_.empty() ? "the temporary conversations" : path_.string();
  const ErrorCode kind = code_of(code);
  std::string message = "cannot " + std::string(doing) + " " + name + ": " + said;
  if (kind == ErrorCode::no_space) message = "there is no space left for " + name;
  if (kind == ErrorCode::corrupt) message = name + " is damaged: " + said;
  return {kind, std::move(message)};
}

Result<sqlite3_stmt*> Database::prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                          &statement, nullptr);
  if (prepared != SQLITE_OK) return error(prepared, "read");
  statements_.emplace(sql, statement);
  return statement;
}

Status Database::step_all(sqlite3_stmt* statement, const std::function<Status(const Row&)>& row) {
  for (;;) {
    const int stepped = sqlite3_step(statement);
    if (stepped == SQLITE_DONE) return {};
    if (stepped != SQLITE_ROW) return error(stepped, sqlite3_stmt_readonly(statement) != 0 ? "read" : "write");
    INGLE_CHECK(row(Row(statement)));
  }
}

Status Database::each(std::string_view sql, std::initializer_list<Value> values,
                      const std::function<Status(const Row&)>& row) {
  INGLE_TRY(sqlite3_stmt* const statement, prepare(sql));
  const Reset reset(statement);
  int place = 0;
  for (const Value& value : values)
    if (const int bound = bind(statement, ++place, value.value_); bound != SQLITE_OK) return error(bound, "write");
  return step_all(statement, row);
}

Status Database::run_row(std::string_view sql, const Row& row, size_t count) {
  INGLE_TRY(sqlite3_stmt* const statement, prepare(sql));
  const Reset reset(statement);
  for (int column = 0; column < static_cast<int>(count); ++column)
    if (const int bound = sqlite3_bind_value(statement, column + 1, sqlite3_column_value(row.statement_, column));
        bound != SQLITE_OK)
      return error(bound, "write");
  return step_all(statement, [](const Row&) { return Status(); });
}

Status Database::run(std::string_view sql, std::initializer_list<Value> values) {
  return each(sql, values, [](const Row&) { return Status(); });
}

Result<std::optional<int64_t>> Database::integer(std::string_view sql, std::initializer_list<Value> values) {
  std::optional<int64_t> first;
  INGLE_CHECK(each(sql, values, [&](const Row& row) {
    if (!first) first = row.maybe_integer(0);
    return Status();
  }));
  return first;
}

Result<std::optional<std::string>> Database::text(std::string_view sql, std::initializer_list<Value> values) {
  std::optional<std::string> first;
  INGLE_CHECK(each(sql, values, [&](const Row& row) {
    if (!first) first = row.maybe_text(0);
    return Status();
  }));
  return first;
}

Status Database::script(const std::string& sql) {
  const int done = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return done == SQLITE_OK ? Status() : Status(error(done, "write"));
}

int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

int64_t Database::all_changes() const {
  return sqlite3_total_changes64(handle_);
}

Result<Transaction> Transaction::begin(Database& database, Durability durability) {
  // In a file with a write-ahead log: FULL syncs the log with each commit, NORMAL does not.
  INGLE_CHECK(
      database.run(durability == Durability::power_cut ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  INGLE_CHECK(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Status Transaction::commit() {
  INGLE_CHECK(database_->run("COMMIT"));  // where that fails, the destructor rolls back
  database_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // Some errors have rolled back already; then there is nothing to do.
  if (sqlite3_get_autocommit(database_->handle()) == 0) (void)database_->run("ROLLBACK");
}

}  // namespace ingle::assistant
