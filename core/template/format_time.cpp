// strftime in the C locale, with the flags of glibc (%-d, %_d, %0e, %^a) that templates rely on.
// Civil dates from days: Howard Hinnant's algorithm by way of <chrono>.
#include <chrono>

#include "core/template/format.h"
#include "core/template/operations.h"
#include "core/template/unicode.h"

namespace ingle::jinja {
namespace {

constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};

struct Moment {
  int64_t seconds;
  int year, month, day, hour, minute, second, weekday, yearday;  // month, day from 1; yearday from 0
};

Moment moment_of(int64_t seconds) {
  using namespace std::chrono;
  constexpr int64_t kLimit = 200'000'000'000;  // beyond year 8000 or before -4000 nobody needs a date
  if (seconds > kLimit || seconds < -kLimit) fail("the date is out of range");
  const int64_t days = seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400);
  const auto rest = static_cast<int>(seconds - days * 86400);
  const sys_days date{std::chrono::days(static_cast<int>(days))};
  const year_month_day civil(date);
  const auto first = sys_days(civil.year() / January / 1);
  return {seconds,
          static_cast<int>(civil.year()),
          static_cast<int>(static_cast<unsigned>(civil.month())),
          static_cast<int>(static_cast<unsigned>(civil.day())),
          rest / 3600,
          rest / 60 % 60,
          rest % 60,
          static_cast<int>(weekday(date).c_encoding()),
          static_cast<int>((date - first).count())};
}

bool is_leap(int year) {
  return std::chrono::year(year).is_leap();
}

// ISO 8601 week and its year.
std::pair<int, int> iso_week(const Moment& m) {
  const int weekday = (m.weekday + 6) % 7;  // Monday is 0
  int year = m.year;
  int week = (m.yearday - weekday + 10) / 7;
  const auto weeks_in = [](int y) {
    const auto first = std::chrono::weekday(std::chrono::sys_days(std::chrono::year(y) / 1 / 1)).c_encoding();
    return first == 4 || (first == 3 && is_leap(y)) ? 53 : 52;
  };
  if (week < 1)
    week = weeks_in(--year);
  else if (week > weeks_in(year))
    week = 1, ++year;
  return {week, year};
}

class Formatter {
 public:
  explicit Formatter(const Moment& m) : m_(m) {}

  std::string run(std::string_view format) {
    for (size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%' || i + 1 == format.size()) {
        out_ += format[i];
        continue;
      }
      const size_t start = i++;
      flag_ = upper_ = swap_ = 0;
      for (; i < format.size() && std::string_view("-_0^#").find(format[i]) != std::string_view::npos; ++i) {
        if (format[i] == '^')
          upper_ = '^';
        else if (format[i] == '#')
          swap_ = '#';
        else
          flag_ = format[i];
      }
      width_ = 0;
      for (; i < format.size() && format[i] >= '0' && format[i] <= '9'; ++i) {
        width_ = width_ * 10 + static_cast<size_t>(format[i] - '0');
        if (width_ > 200) fail_limit("a date format is too wide");
      }
      if (i < format.size() && (format[i] == 'E' || format[i] == 'O')) ++i;
      if (i >= format.size() || !directive(format[i])) out_ += format.substr(start, i + 1 - start);
    }
    return std::move(out_);
  }

 private:
  void number(int64_t value, size_t width, char pad = '0') {
    if (flag_ == '_') pad = ' ';
    if (flag_ == '0') pad = '0';
    std::string digits = std::to_string(value < 0 ? -value : value);
    if (width_ > 0)
      width = width_;
    else if (flag_ == '-')
      width = 0;
    if (value < 0) digits.insert(0, "-");
    if (digits.size() < width) digits.insert(0, width - digits.size(), pad);
    out_ += digits;
  }
  void word(std::string_view text, size_t size = std::string_view::npos) {
    std::string shown(text.substr(0, size));
    if (upper_ != 0 || swap_ != 0) shown = to_upper(shown);
    if (shown.size() < width_) shown.insert(0, width_ - shown.size(), flag_ == '0' ? '0' : ' ');
    out_ += shown;
  }
  void composed(std::string_view format) {
    std::string inner = Formatter(m_).run(format);
    word(inner);
  }
  bool directive(char c) { return date_directive(c) || time_directive(c); }

  bool date_directive(char c) {
    switch (c) {
      case 'a':
        word(kDays[m_.weekday], 3);
        return true;
      case 'A':
        word(kDays[m_.weekday]);
        return true;
      case 'b':
      case 'h':
        word(kMonths[m_.month - 1], 3);
        return true;
      case 'B':
        word(kMonths[m_.month - 1]);
        return true;
      case 'C':
        number(m_.year / 100, 2);
        return true;
      case 'd':
        number(m_.day, 2);
        return true;
      case 'e':
        number(m_.day, 2, ' ');
        return true;
      case 'D':
      case 'x':
        composed("%m/%d/%y");
        return true;
      case 'F':
        composed("%Y-%m-%d");
        return true;
      case 'c':
        composed("%a %b %e %H:%M:%S %Y");
        return true;
      case 'G':
        number(iso_week(m_).second, 4);
        return true;
      case 'g':
        number(iso_week(m_).second % 100, 2);
        return true;
      case 'V':
        number(iso_week(m_).first, 2);
        return true;
      case 'U':
        number((m_.yearday + 7 - m_.weekday) / 7, 2);
        return true;
      case 'W':
        number((m_.yearday + 7 - (m_.weekday + 6) % 7) / 7, 2);
        return true;
      case 'j':
        number(m_.yearday + 1, 3);
        return true;
      case 'm':
        number(m_.month, 2);
        return true;
      case 'u':
        number(m_.weekday == 0 ? 7 : m_.weekday, 1);
        return true;
      case 'w':
        number(m_.weekday, 1);
        return true;
      case 'y':
        number(m_.year % 100, 2);
        return true;
      case 'Y':
        number(m_.year, flag_ == 0 ? 1 : 4);
        return true;
      default:
        return false;
    }
  }

  bool time_directive(char c) {
    const int hour12 = m_.hour % 12 == 0 ? 12 : m_.hour % 12;
    switch (c) {
      case 'H':
        number(m_.hour, 2);
        return true;
      case 'I':
        number(hour12, 2);
        return true;
      case 'k':
        number(m_.hour, 2, ' ');
        return true;
      case 'l':
        number(hour12, 2, ' ');
        return true;
      case 'M':
        number(m_.minute, 2);
        return true;
      case 'S':
        number(m_.second, 2);
        return true;
      case 's':
        number(m_.seconds, 1);
        return true;
      case 'f':
        out_ += "000000";
        return true;
      case 'p':
        if (swap_ != 0)
          out_ += m_.hour < 12 ? "am" : "pm";
        else
          word(m_.hour < 12 ? "AM" : "PM");
        return true;
      case 'P':
        word(m_.hour < 12 ? "am" : "pm");
        return true;
      case 'r':
        composed("%I:%M:%S %p");
        return true;
      case 'R':
        composed("%H:%M");
        return true;
      case 'T':
      case 'X':
        composed("%H:%M:%S");
        return true;
      case 'n':
        out_ += '\n';
        return true;
      case 't':
        out_ += '\t';
        return true;
      case 'z':
      case 'Z':
        return true;  // a naive datetime has no zone
      case '%':
        out_ += '%';
        return true;
      default:
        return false;
    }
  }

  const Moment& m_;
  std::string out_;
  char flag_ = 0, upper_ = 0, swap_ = 0;
  size_t width_ = 0;
};

}  // namespace

std::string format_time(Heap& heap, std::string_view format, int64_t seconds) {
  check_growth(heap, format.size() * 32);
  const Moment moment = moment_of(seconds);
  std::string out = Formatter(moment).run(format);
  check_growth(heap, out.size());
  return out;
}

}  // namespace ingle::jinja
