// A small random number generator whose sequence is the same on every platform and standard library: whoever
// repeats a computation with the same seed gets the same digits. (std:: distributions differ between
// libraries.)
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace hap::measure {

// splitmix64 (Steele, Lea & Flood, OOPSLA 2014). Not for cryptography.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  // Uniform in [0, n), n > 0; the bias of the multiplication is below n / 2^64.
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits()) * n) >> 64);
  }
  // Standard normal (Box & Muller 1958).
  double normal() {
    const double u = 1.0 - uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * uniform());
  }
  // Gamma with the given shape (> 0) and scale 1 (Marsaglia & Tsang, ACM TOMS 26, 2000).
  double gamma(double shape) {
    if (shape < 1) return gamma(shape + 1) * std::pow(1.0 - uniform(), 1.0 / shape);
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (;;) {
      const double x = normal();
      const double v = std::pow(1.0 + c * x, 3);
      if (v <= 0) continue;
      if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }
  double chi_squared(double degrees) { return 2.0 * gamma(degrees / 2.0); }

 private:
  std::uint64_t state_;
};

// Fisher-Yates.
template <typename Range>
void shuffle(Range& range, Random& random) {
  for (std::size_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[random.below(i)]);
}

}  // namespace hap::measure
