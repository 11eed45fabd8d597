// A callable that is moved and never copied, so that what it captures (a Completion, a buffer) has
// one owner. C++23 has std::move_only_function.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "proxy/base/invariant.h"

namespace idem {

template <class Signature>
class Function;

/// Empty until assigned; calling an empty one is a bug. A callable of up to kInlineBytes needs no
/// allocation.
template <class R, class... Args>
class Function<R(Args...)> {
 public:
  static constexpr std::size_t kInlineBytes = 48;

  Function() = default;
  Function(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::function does

  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Function> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      Function(
          F&& callable) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    using Stored = std::decay_t<F>;
    if constexpr (kFitsInline<Stored>) {
      new (storage_) Stored(std::forward<F>(callable));
      operations_ = &kInline<Stored>;
    } else {
      *reinterpret_cast<Stored**>(storage_) = new Stored(std::forward<F>(callable));
      operations_ = &kHeap<Stored>;
    }
  }

  Function(Function&& other) noexcept { TakeFrom(other); }
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      Reset();
      TakeFrom(other);
    }
    return *this;
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  ~Function() { Reset(); }

  R operator()(Args... args) {  // NOLINT(performance-unnecessary-value-param): they are passed on
    INVARIANT(operations_ != nullptr);
    return operations_->call(storage_, std::forward<Args>(args)...);
  }
  explicit operator bool() const { return operations_ != nullptr; }

 private:
  struct Operations {
    R (*call)(std::byte*, Args&&...);
    void (*move)(std::byte* from, std::byte* to) noexcept;  // leaves nothing alive in `from`
    void (*destroy)(std::byte*) noexcept;
  };

  template <class F>
  static constexpr bool kFitsInline =
      sizeof(F) <= kInlineBytes &&
      alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;
  template <class F>
  static F& Inline(std::byte* at) {
    return *std::launder(reinterpret_cast<F*>(at));
  }
  template <class F>
  static F*& Heap(std::byte* at) {
    return *reinterpret_cast<F**>(at);
  }
  template <class F>
  static constexpr Operations kInline = {
      [](std::byte* at, Args&&... args) -> R { return Inline<F>(at)(std::forward<Args>(args)...); },
      [](std::byte* from, std::byte* to) noexcept {
        new (to) F(std::move(Inline<F>(from)));
        Inline<F>(from).~F();
      },
      [](std::byte* at) noexcept { Inline<F>(at).~F(); }};
  template <class F>
  static constexpr Operations kHeap = {
      [](std::byte* at, Args&&... args) -> R {
        return (*Heap<F>(at))(std::forward<Args>(args)...);
      },
      [](std::byte* from, std::byte* to) noexcept { Heap<F>(to) = Heap<F>(from); },
      [](std::byte* at) noexcept { delete Heap<F>(at); }};

  void TakeFrom(Function& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(other.storage_, storage_);
  }
  void Reset() noexcept {
    if (auto* operations = std::exchange(operations_, nullptr)) operations->destroy(storage_);
  }

  alignas(std::max_align_t) std::byte storage_[kInlineBytes];
  const Operations* operations_ = nullptr;
};

}  // namespace idem
