/*
 * Encodings and randomness: base64 and SHA-256 by OpenSSL, random bytes by the kernel.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include <stint/base.h>

char *stint_base64_encode(const void *data, size_t length)
{
	if (length > INT_MAX / 2)
		abort();
	char *text = stint_alloc((length + 2) / 3 * 4 + 1);
	EVP_EncodeBlock((unsigned char *)text, data, (int)length);
	return text;
}

char *stint_base64_decode(const char *text, size_t text_length, size_t *length)
{
	if (text_length > INT_MAX / 2)
		return NULL;
	stint_autofree char *packed = stint_alloc(text_length + 1);
	size_t count = 0, padding = 0;
	for (size_t i = 0; i < text_length; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		if (text[i] == '=')
			padding++;
		else if (padding > 0)
			return NULL;
		packed[count++] = text[i];
	}
	if (count % 4 != 0 || padding > 2)
		return NULL;
	stint_autofree unsigned char *bytes = stint_alloc(count / 4 * 3 + 1);
	if (count > 0 && EVP_DecodeBlock(bytes, (const unsigned char *)packed, (int)count) != (int)(count / 4 * 3))
		return NULL;
	size_t size = count / 4 * 3 - padding;
	bytes[size] = '\0';
	if (length)
		*length = size;
	return (char *)stint_steal(&bytes);
}

void stint_sha256_hex(const void *data, size_t length, char out[static 65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	if (EVP_Digest(data, length, digest, &size, EVP_sha256(), NULL) != 1 || size != 32)
		abort();
	for (unsigned int i = 0; i < size; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
}

void stint_random_bytes(void *out, size_t length)
{
	char *at = out;
	while (length > 0) {
		ssize_t got = getrandom(at, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			abort();
		at += got;
		length -= (size_t)got;
	}
}

char *stint_uuid(char out[static 37])
{
	unsigned char b[16];
	stint_random_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6],
		b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return out;
}

char *stint_random_suffix(char *out, size_t length)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	for (size_t i = 0; i < length; i++) {
		unsigned char byte;
		do
			stint_random_bytes(&byte, 1);
		while (byte >= 256 / (sizeof(alphabet) - 1) * (sizeof(alphabet) - 1));
		out[i] = alphabet[byte % (sizeof(alphabet) - 1)];
	}
	out[length] = '\0';
	return out;
}
