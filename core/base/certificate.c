/*
 * Certificates of our own: P-256 keys and X.509 certificates, made by OpenSSL and kept in memory as PEM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stint/base.h>

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_x509(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_bio(BIO **bio)
{
	BIO_free_all(*bio);
}

#define auto_key STINT_CLEANUP(free_key) EVP_PKEY
#define auto_x509 STINT_CLEANUP(free_x509) X509
#define auto_bio STINT_CLEANUP(free_bio) BIO

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static bool set_serial(X509 *certificate)
{
	unsigned char bytes[16];
	stint_random_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f; /* a serial is positive and at most 20 octets (RFC 5280, 4.1.2.2) */
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return set;
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool add_extensions(X509 *certificate, X509 *issuer, enum stint_certificate_use use, const char *const *alt_names)
{
	bool ca = use == STINT_CERTIFICATE_CA;
	if (!add_extension(certificate, issuer, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE") ||
		!add_extension(certificate, issuer, NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") ||
		!add_extension(certificate, issuer, NID_subject_key_identifier, "hash"))
		return false;
	if (!ca && !add_extension(certificate, issuer, NID_ext_key_usage, use == STINT_CERTIFICATE_SERVER ? "serverAuth" : "clientAuth"))
		return false;
	stint_auto_buf names = {0};
	for (const char *const *name = alt_names; name && *name; name++)
		stint_buf_printf(&names, "%s%s", names.length ? "," : "", *name);
	return names.length == 0 || add_extension(certificate, issuer, NID_subject_alt_name, names.data);
}

static char *pem_of(BIO *bio)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);
	return stint_strndup(data, (size_t)length);
}

static X509 *read_certificate(const char *pem)
{
	auto_bio *bio = BIO_new_mem_buf(pem, -1);
	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

static EVP_PKEY *read_key(const char *pem)
{
	auto_bio *bio = BIO_new_mem_buf(pem, -1);
	return bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
}

static bool write_pem(X509 *certificate, EVP_PKEY *key, struct stint_certificate *out)
{
	auto_bio *certificate_bio = BIO_new(BIO_s_mem());
	auto_bio *key_bio = BIO_new(BIO_s_secmem());
	if (!certificate_bio || !key_bio || PEM_write_bio_X509(certificate_bio, certificate) != 1 ||
		PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return false;
	out->certificate_pem = pem_of(certificate_bio);
	out->key_pem = pem_of(key_bio);
	return true;
}

bool stint_certificate_issue(const struct stint_certificate *issuer, enum stint_certificate_use use, const char *common_name,
	const char *organization, const char *const *alt_names, int days, struct stint_certificate *out, struct stint_error **err)
{
	auto_key *key = EVP_EC_gen("P-256");
	auto_x509 *certificate = X509_new();
	auto_x509 *issuer_certificate = issuer ? read_certificate(issuer->certificate_pem) : NULL;
	auto_key *issuer_key = issuer ? read_key(issuer->key_pem) : NULL;
	if (issuer && (!issuer_certificate || !issuer_key))
		return stint_fail(err, STINT_FAILED, "cannot read the issuer's certificate and key");
	X509 *parent = issuer ? issuer_certificate : certificate;
	X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
	if (key && name && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -300) &&
		X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * days) && X509_set_pubkey(certificate, key) == 1 &&
		(!organization || add_name(name, "O", organization)) && add_name(name, "CN", common_name) &&
		X509_set_issuer_name(certificate, X509_get_subject_name(parent)) == 1 &&
		add_extensions(certificate, parent, use, alt_names) &&
		X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0 && write_pem(certificate, key, out))
		return true;
	return stint_fail(err, STINT_FAILED, "cannot make a certificate for %s", common_name);
}

void stint_certificate_free(struct stint_certificate *certificate)
{
	if (!certificate)
		return;
	if (certificate->key_pem)
		explicit_bzero(certificate->key_pem, strlen(certificate->key_pem));
	free(certificate->key_pem);
	free(certificate->certificate_pem);
	*certificate = (struct stint_certificate){0};
}
