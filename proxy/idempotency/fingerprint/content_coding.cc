#include "proxy/idempotency/fingerprint/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>

#include "proxy/http/fields.h"

namespace idem::idempotency {

namespace {

constexpr std::size_t kRatioMax = 32;
constexpr std::size_t kSmall = 64 * 1024;
constexpr std::size_t kDecodedMax = 16 * 1024 * 1024;
constexpr int kZlibOrGzip = 15 + 32;  // the window, and that zlib reads which of the two it is

class Inflater {
 public:
  Inflater() { good_ = inflateInit2(&stream_, kZlibOrGzip) == Z_OK; }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // All of one stream, which has to be all of `body`.
  bool Append(std::string_view body, std::size_t most, std::string& to) {
    if (!good_ || body.size() > kDecodedMax) return false;
    // zlib reads the input through a pointer that is not const, and does not write there.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(body.data()));
    stream_.avail_in = static_cast<uInt>(body.size());
    const std::size_t before = to.size();
    for (int result = Z_OK; result != Z_STREAM_END;) {
      Bytef piece[16 * 1024];
      stream_.next_out = piece;
      stream_.avail_out = sizeof piece;
      result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END) return false;
      to.append(reinterpret_cast<const char*>(piece), sizeof piece - stream_.avail_out);
      if (to.size() - before > most) return false;
    }
    return stream_.avail_in == 0;
  }

 private:
  z_stream stream_{};
  bool good_ = false;
};

}  // namespace

bool AppendDecoded(std::string_view coding, std::string_view body, std::string& to) {
  constexpr std::string_view kKnown[] = {"gzip", "x-gzip", "deflate"};
  const bool known = std::ranges::any_of(
      kKnown, [&](std::string_view name) { return http::EqualsIgnoreCase(name, coding); });
  if (!known) return false;
  const std::size_t most = std::min(kDecodedMax, std::max(kSmall, body.size() * kRatioMax));
  return Inflater().Append(body, most, to);
}

}  // namespace idem::idempotency
