// Certificates for tests, made by the openssl command, so that no private key is in the tree.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace idem::support {

/// A folder of PEM files, removed at the end. All use the same key; they differ in signer, name and
/// validity.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  [[nodiscard]] std::string ca() const { return File("ca.pem"); }
  [[nodiscard]] std::string key() const { return File("key.pem"); }
  /// Returns key() encrypted with a passphrase.
  [[nodiscard]] std::string locked_key() const { return File("locked-key.pem"); }
  /// Returns a certificate signed by ca() for `localhost` and 127.0.0.1.
  [[nodiscard]] std::string server() const { return File("server.pem"); }
  /// Returns a certificate signed by ca() for `other.example`.
  [[nodiscard]] std::string other_name() const { return File("other.pem"); }
  /// Returns server(), but expired since 2021.
  [[nodiscard]] std::string expired() const { return File("expired.pem"); }
  /// Returns a self-signed certificate for `localhost`.
  [[nodiscard]] std::string self_signed() const { return File("self.pem"); }
  /// Returns a certificate signed by ca() for CN=shop,O=Tests.
  [[nodiscard]] std::string client() const { return File("client.pem"); }
  /// Returns the same subject, signed by other_ca().
  [[nodiscard]] std::string stranger() const { return File("stranger.pem"); }
  /// Return an authority signed by ca(), and a certificate that it signed for `localhost` and
  /// 127.0.0.1 (O=Tests).
  [[nodiscard]] std::string branch_ca() const { return File("branch-ca.pem"); }
  [[nodiscard]] std::string of_branch() const { return File("of-branch.pem"); }
  /// Returns client() with an end after `lifetime`.
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
