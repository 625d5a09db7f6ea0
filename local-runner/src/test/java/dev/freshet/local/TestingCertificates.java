package dev.freshet.local;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * An authority and what it signs, as PEM files in a folder: NAME.key, NAME.crt, NAME.pem (both).
 */
public final class TestingCertificates {

  private final Path folder;
  private final X509Bundle authority;

  public TestingCertificates(Path folder) throws Exception {
    this.folder = Files.createDirectories(folder);
    authority = builder("Testing authority").setIsCertificateAuthority(true).buildSelfSigned();
    Files.writeString(authority(), authority.getCertificatePEM());
  }

  private static CertificateBuilder builder(String name) {
    return new CertificateBuilder().algorithm(Algorithm.ecp256).subject("CN=" + name);
  }

  /** The file of the authority's certificate. */
  public Path authority() {
    return folder.resolve("ca.crt");
  }

  /** Signs what {@code name} is called, on this machine. */
  public X509Bundle sign(String name) throws Exception {
    X509Bundle signed =
        builder(name)
            .addSanIpAddress("127.0.0.1")
            .addSanDnsName("localhost")
            .buildIssuedBy(authority);
    write(name, signed);
    return signed;
  }

  private void write(String name, X509Bundle signed) throws IOException, GeneralSecurityException {
    Files.writeString(file(name, "key"), signed.getPrivateKeyPEM());
    Files.writeString(file(name, "crt"), signed.getCertificatePEM());
    Files.writeString(
        file(name, "pem"), signed.getPrivateKeyPEM() + "\n" + signed.getCertificatePathPEM());
  }

  /** Who trusts this authority alone. */
  public HttpClient client() throws Exception {
    TrustManagerFactory trusted =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null);
    store.setCertificateEntry("ca", authority.getCertificate());
    trusted.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trusted.getTrustManagers(), null);
    return HttpClient.newBuilder().sslContext(context).build();
  }

  /** One of the files of what was signed. */
  public Path file(String name, String kind) {
    return folder.resolve(name + "." + kind);
  }
}
