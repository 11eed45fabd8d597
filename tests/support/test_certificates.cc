#include "tests/support/test_certificates.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <stdexcept>

namespace idem::support {

TestCertificates::TestCertificates() {
  std::string pattern = (std::filesystem::temp_directory_path() / "idem-tls-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder");
  folder_ = pattern;
  OpenSsl("ecparam -name prime256v1 -genkey -noout -out " + key());
  OpenSsl("ec -in " + key() + " -aes128 -passout pass:locked -out " + locked_key());
  MakeAuthority("ca", "Test authority");
  MakeAuthority("other-ca", "Another authority");
  OpenSsl("req -x509 -new -key " + key() +
          " -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 30 -out " +
          self_signed());
  std::ofstream(File("index.txt"));
  std::ofstream(File("serial")) << "01\n";
  std::ofstream(File("ca.cnf")) << "[ca]\ndefault_ca=d\n[d]\ndatabase=" << File("index.txt")
                                << "\nserial=" << File("serial")
                                << "\nnew_certs_dir=" << folder_.string()
                                << "\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
                                   "copy_extensions=copy\n[p]\norganizationName=optional\n"
                                   "commonName=supplied\n";
  const std::string names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  Sign("server.pem", "/CN=localhost", names, "-days 30");
  Sign("other.pem", "/CN=other.example", "subjectAltName=DNS:other.example", "-days 30");
  Sign("expired.pem", "/CN=localhost", names,
       "-startdate 20200101000000Z -enddate 20210101000000Z");
  Sign("client.pem", "/O=Tests/CN=shop", "extendedKeyUsage=clientAuth", "-days 30");
  Sign("stranger.pem", "/O=Tests/CN=shop", "extendedKeyUsage=clientAuth", "-days 30", "other-ca");
  Sign("branch-ca.pem", "/CN=Branch", "basicConstraints=critical,CA:TRUE", "-days 30");
  std::filesystem::copy_file(key(), File("branch-ca-key.pem"));
  Sign("of-branch.pem", "/O=Tests/CN=localhost", names, "-days 30", "branch-ca");
}

TestCertificates::~TestCertificates() { std::filesystem::remove_all(folder_); }

std::string TestCertificates::ShortLived(std::chrono::seconds lifetime) const {
  const std::time_t end =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + lifetime);
  std::tm parts{};
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", gmtime_r(&end, &parts));
  Sign("short-lived.pem", "/O=Tests/CN=shop", "extendedKeyUsage=clientAuth",
       std::string("-startdate 20200101000000Z -enddate ") + text);
  return File("short-lived.pem");
}

void TestCertificates::OpenSsl(const std::string& arguments) const {
  const std::string log = File("openssl.log");
  if (std::system(("openssl " + arguments + " >>" + log + " 2>&1").c_str()) == 0) return;
  std::ifstream text(log);
  throw std::runtime_error("openssl " + arguments +
                           " failed: " + std::string(std::istreambuf_iterator<char>(text), {}));
}

void TestCertificates::MakeAuthority(const std::string& name,
                                     const std::string& common_name) const {
  const std::string key = File(name + "-key.pem");
  OpenSsl("ecparam -name prime256v1 -genkey -noout -out " + key);
  OpenSsl("req -x509 -new -key " + key + " -subj '/CN=" + common_name + "' -days 30 -out " +
          File(name + ".pem"));
}

void TestCertificates::Sign(const std::string& name, const std::string& subject,
                            const std::string& extension, const std::string& validity,
                            const std::string& authority) const {
  OpenSsl("req -new -key " + key() + " -subj '" + subject + "' -addext " + extension + " -out " +
          File("request.pem"));
  OpenSsl("ca -batch -notext -config " + File("ca.cnf") + " -cert " + File(authority + ".pem") +
          " -keyfile " + File(authority + "-key.pem") + " -in " + File("request.pem") + " " +
          validity + " -out " + File(name));
}

}  // namespace idem::support
