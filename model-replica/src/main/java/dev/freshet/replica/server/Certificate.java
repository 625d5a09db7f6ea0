package dev.freshet.replica.server;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.InvalidValueException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

/**
 * A server's certificate and its key, PEM files as authorities and orchestrators write them.
 *
 * @param chain the certificate, then those that lead to the authority
 * @param key its private key, PKCS#8
 */
public record Certificate(Path chain, Path key) {

  private static final String KEY_OPTION = "tls-key";
  private static final String CHAIN_OPTION = "tls-certificate";

  /**
   * Reads both.
   *
   * @throws InvalidValueException if they are no PEM, or do not belong together
   * @throws IOException if they cannot be read
   */
  public SSLContext context() throws IOException {
    String chainText = Files.readString(chain);
    String keyText = Files.readString(key);
    check(
        chainText.contains("-----BEGIN CERTIFICATE-----"), CHAIN_OPTION, chain, "PEM certificates");
    // Kafka's reader knows no other form, and says so in other words.
    check(
        keyText.contains("-----BEGIN PRIVATE KEY-----"),
        KEY_OPTION,
        key,
        "a PKCS#8 key without a password (BEGIN PRIVATE KEY; `openssl pkcs8 -topk8 -nocrypt` makes one"
            + " of others)");
    Map<String, Object> settings = new HashMap<>();
    settings.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, DefaultSslEngineFactory.PEM_TYPE);
    settings.put(SslConfigs.SSL_KEYSTORE_KEY_CONFIG, new Password(keyText));
    settings.put(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG, new Password(chainText));
    ConfigDef known = new ConfigDef();
    SslConfigs.addClientSslSupport(known);
    try (DefaultSslEngineFactory factory = new DefaultSslEngineFactory()) {
      factory.configure(known.parse(settings));
      check(belongTogether(factory.keystore()), KEY_OPTION, key, "the key of the certificate");
      return factory.sslContext();
    } catch (KafkaException | GeneralSecurityException e) {
      throw new InvalidValueException(
          CHAIN_OPTION, chain, "PEM certificates, and their key in " + key);
    }
  }

  /** True if the certificate verifies what the key signs. */
  private static boolean belongTogether(KeyStore store) throws GeneralSecurityException {
    String alias = store.aliases().nextElement();
    PublicKey open = store.getCertificate(alias).getPublicKey();
    PrivateKey secret = (PrivateKey) store.getKey(alias, null);
    if (!open.getAlgorithm().equals(secret.getAlgorithm())) {
      return false;
    }
    String algorithm =
        switch (open.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> open.getAlgorithm();
        };
    byte[] words = {1, 2, 3};
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(secret);
    signature.update(words);
    byte[] signed = signature.sign();
    signature.initVerify(open);
    signature.update(words);
    return signature.verify(signed);
  }

  /** When the files were written; a renewal changes one after the other, to any time. */
  List<FileTime> written() throws IOException {
    return List.of(Files.getLastModifiedTime(chain), Files.getLastModifiedTime(key));
  }
}
