/* Calls the provider as OpenSSH's ssh-sk-helper does, structures from
 * sk-api.h 1.15: loads it, makes a key, signs, unloads; loads it again and
 * signs again; finds the key on the phone. Frees all that it was given, as
 * OpenSSH does. Prints what it got as NAME=HEX to a file. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

struct sk_resident_key {
	uint32_t alg;
	size_t slot;
	char *application;
	struct sk_enroll_response key;
	uint8_t flags;
	uint8_t *user_id;
	size_t user_id_len;
};

struct sk_option {
	char *name;
	char *value;
	uint8_t required;
};

typedef uint32_t version_fn(void);
typedef int enroll_fn(uint32_t, const uint8_t *, size_t, const char *, uint8_t, const char *, struct sk_option **,
    struct sk_enroll_response **);
typedef int sign_fn(uint32_t, const uint8_t *, size_t, const char *, const uint8_t *, size_t, uint8_t, const char *,
    struct sk_option **, struct sk_sign_response **);
typedef int resident_fn(const char *, struct sk_option **, struct sk_resident_key ***, size_t *);

static FILE *out;

static void fail(const char *what, int code)
{
	fprintf(stderr, "caller: %s (%d)\n", what, code);
	exit(1);
}

static void print(const char *name, const uint8_t *bytes, size_t length)
{
	fprintf(out, "%s=", name);
	for (size_t i = 0; i < length; i++)
		fprintf(out, "%02x", bytes[i]);
	fprintf(out, "\n");
}

static void freezero(void *at, size_t length)
{
	if (at == NULL)
		return;
	memset(at, 0, length);
	free(at);
}

static void *load(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW);
	if (handle == NULL)
		fail(dlerror(), 0);
	return handle;
}

static void *find(void *handle, const char *name)
{
	void *found = dlsym(handle, name);
	if (found == NULL)
		fail(name, 0);
	return found;
}

static void refuse(enroll_fn *enroll, sign_fn *sign)
{
	struct sk_enroll_response *made = (void *)1;
	struct sk_sign_response *signed_ = (void *)1;
	struct sk_option required = {"colour", "red", 1}, *options[] = {&required, NULL};
	int code;

	if ((code = enroll(0, (const uint8_t *)"x", 1, "example.com", 1, NULL, NULL, &made)) != -1 || made != NULL)
		fail("a key for an application that is not ssh's", code);
	if ((code = enroll(1, (const uint8_t *)"x", 1, "ssh:", 1, NULL, NULL, &made)) != -2)
		fail("an Ed25519 key", code);
	if ((code = enroll(0, (const uint8_t *)"x", 1, "ssh:", 1, NULL, options, &made)) != -1)
		fail("an option that nobody knows", code);
	if ((code = sign(0, (const uint8_t *)"x", 1, "https://example.com", (const uint8_t *)"x", 1, 1, NULL, NULL,
		 &signed_)) != -1 || signed_ != NULL)
		fail("a signature for an application that is not ssh's", code);
}

static void sign_once(sign_fn *sign, const char *data, const struct sk_enroll_response *key, const char *turn)
{
	struct sk_sign_response *response = NULL;
	uint8_t counter[4];
	char name[16];
	int code = sign(0, (const uint8_t *)data, strlen(data), "ssh:", key->key_handle, key->key_handle_len, 0x01, NULL,
	    NULL, &response);
	if (code != 0)
		fail("sk_sign", code);
	for (int i = 0; i < 4; i++)
		counter[i] = (uint8_t)(response->counter >> (24 - 8 * i));
	snprintf(name, sizeof(name), "flags%s", turn);
	print(name, &response->flags, 1);
	snprintf(name, sizeof(name), "counter%s", turn);
	print(name, counter, 4);
	snprintf(name, sizeof(name), "r%s", turn);
	print(name, response->sig_r, response->sig_r_len);
	snprintf(name, sizeof(name), "s%s", turn);
	print(name, response->sig_s, response->sig_s_len);
	freezero(response->sig_r, response->sig_r_len);
	freezero(response->sig_s, response->sig_s_len);
	freezero(response, sizeof(*response));
}

int main(int argc, char **argv)
{
	struct sk_option user = {"user", "carol", 0}, other = {"colour", "red", 0};
	struct sk_option *options[] = {&user, &other, NULL};
	struct sk_enroll_response *made = NULL;
	struct sk_resident_key **found = NULL;
	size_t number = 0;
	int code;

	if (argc != 3 || (out = fopen(argv[2], "w")) == NULL)
		fail("usage: caller LIBRARY FILE", 0);
	void *handle = load(argv[1]);
	if ((((version_fn *)find(handle, "sk_api_version"))() & 0xffff0000) != 0x000a0000)
		fail("sk_api_version", 0);
	refuse(find(handle, "sk_enroll"), find(handle, "sk_sign"));

	code = ((enroll_fn *)find(handle, "sk_enroll"))(0, (const uint8_t *)"challenge", 9, "ssh:", 0x01 | 0x20, NULL,
	    options, &made);
	if (code != 0)
		fail("sk_enroll", code);
	print("point", made->public_key, made->public_key_len);
	print("handle", made->key_handle, made->key_handle_len);
	print("authdata", made->authdata, made->authdata_len);
	sign_once(find(handle, "sk_sign"), "session 1", made, "1");
	dlclose(handle);

	handle = load(argv[1]);
	sign_once(find(handle, "sk_sign"), "session 2", made, "2");
	code = ((resident_fn *)find(handle, "sk_load_resident_keys"))("", NULL, &found, &number);
	if (code != 0 || number != 1 || strcmp(found[0]->application, "ssh:") != 0 || found[0]->alg != 0)
		fail("sk_load_resident_keys", code);
	print("found", found[0]->key.public_key, found[0]->key.public_key_len);
	print("again", found[0]->key.key_handle, found[0]->key.key_handle_len);
	print("user", found[0]->user_id, found[0]->user_id_len);
	free(found[0]->application);
	freezero(found[0]->user_id, found[0]->user_id_len);
	freezero(found[0]->key.key_handle, found[0]->key.key_handle_len);
	freezero(found[0]->key.public_key, found[0]->key.public_key_len);
	freezero(found[0], sizeof(*found[0]));
	free(found);
	dlclose(handle);

	freezero(made->public_key, made->public_key_len);
	freezero(made->key_handle, made->key_handle_len);
	freezero(made->signature, made->signature_len);
	freezero(made->attestation_cert, made->attestation_cert_len);
	freezero(made->authdata, made->authdata_len);
	freezero(made, sizeof(*made));
	fclose(out);
	return 0;
}
