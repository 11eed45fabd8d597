// Certificates for tests, made anew with the openssl command: no private key lies in the tree.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace idem::support {

/// A folder of PEM files, removed at the end. The same key for all: what differs is who signed it,
/// for whom and for when.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  [[nodiscard]] std::string ca() const { return File("ca.pem"); }
  [[nodiscard]] std::string key() const { return File("key.pem"); }
  /// key(), under a passphrase.
  [[nodiscard]] std::string locked_key() const { return File("locked-key.pem"); }
  /// Signed by ca() for `localhost` and 127.0.0.1.
  [[nodiscard]] std::string server() const { return File("server.pem"); }
  /// Signed by ca() for `other.example`.
  [[nodiscard]] std::string other_name() const { return File("other.pem"); }
  /// As server(), but over since 2021.
  [[nodiscard]] std::string expired() const { return File("expired.pem"); }
  /// For `localhost`, signed by itself.
  [[nodiscard]] std::string self_signed() const { return File("self.pem"); }
  /// Signed by ca(): CN=shop,O=Tests.
  [[nodiscard]] std::string client() const { return File("client.pem"); }
  /// The same subject, signed by other_ca().
  [[nodiscard]] std::string stranger() const { return File("stranger.pem"); }
  /// An authority signed by ca(), and what it has signed for `localhost` and 127.0.0.1 (O=Tests).
  [[nodiscard]] std::string branch_ca() const { return File("branch-ca.pem"); }
  [[nodiscard]] std::string of_branch() const { return File("of-branch.pem"); }
  /// As client(), and over after `lifetime`.
  [[nodiscard]] std::string ShortLived(std::chrono::seconds lifetime) const;
  [[nodiscard]] std::string other_ca() const { return File("other-ca.pem"); }

 private:
  [[nodiscard]] std::string File(const std::string& name) const {
    return (folder_ / name).string();
  }
  void OpenSsl(const std::string& arguments) const;
  void MakeAuthority(const std::string& name, const std::string& common_name) const;
  void Sign(const std::string& name, const std::string& subject, const std::string& extension,
            const std::string& validity, const std::string& authority = "ca") const;

  std::filesystem::path folder_;
};

}  // namespace idem::support
