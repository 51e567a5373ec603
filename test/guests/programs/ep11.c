/*
 * Functions of an EP11 coprocessor, by messages of our own.
 *
 *   ep11 CARD DOMAIN info 1|3                      module or domain information
 *   ep11 CARD DOMAIN generate BITS ATTRIBUTES      an AES key's blob
 *   ep11 CARD DOMAIN encrypt|decrypt BLOB IV DATA  by AES-CBC with padding
 *   ep11 CARD DOMAIN wrap BLOB                     its protected key
 *   ep11 CARD DOMAIN unwrap KEK IV DATA BITS       the blob of an AES key that KEK encrypted
 *
 * Prints digits. Exit status 1: the errno or the function's return value is on stderr.
 */
#include "device.h"
#include "hex.h"

#define CPRB_BYTES 32
#define ROOM 8192
#define BLOB_ROOM 512
#define IV_BYTES 16

enum {
	CPRB_VERSION_AT = 2,
	CPRB_FLAGS_AT = 5,
	CPRB_FUNCTION_AT = 6,
	CPRB_TARGET_AT = 12,
	CPRB_RETURN_CODE_AT = 16,
	CPRB_PAYLOAD_BYTES_AT = 28,
};

enum { ENCRYPT = 19, DECRYPT = 20, GENERATE_KEY = 21, WRAP_KEY = 33, UNWRAP_KEY = 34, GET_INFO = 38 };

#define FLAG_SPECIAL 0x20
#define MECHANISM_AES_KEY_GENERATION 0x1080
#define MECHANISM_AES_CBC_PADDED 0x1085
#define MECHANISM_CPACF_WRAP 0x80060001
#define KEY_ATTRIBUTES 0x00200C00
#define ATTRIBUTE_KEY_TYPE 0x100
#define ATTRIBUTE_VALUE_BYTES 0x161
#define KEY_TYPE_AES 0x1F

static uint8_t request[ROOM], reply[ROOM];
static size_t request_bytes;
static struct ep11_target target;

/* A string of bytes: its tag, its length in as few bytes as it takes, itself. */
static void add(const void *bytes, size_t count)
{
	uint8_t *at = request + request_bytes;

	*at++ = 0x04;
	if (count > 0xff) {
		*at++ = 0x82;
		*at++ = (uint8_t)(count >> 8);
	} else if (count > 0x7f) {
		*at++ = 0x81;
	}
	*at++ = (uint8_t)count;
	memcpy(at, bytes, count);
	request_bytes = (size_t)(at - request) + count;
}

static void add_nothing(void)
{
	add("", 0);
}

static void add32(uint32_t value)
{
	add(&value, sizeof(value));
}

/* A mechanism's number and, where it has one, its initialization vector. */
static void add_mechanism(uint32_t mechanism, const uint8_t *iv, size_t iv_bytes)
{
	uint8_t bytes[4 + IV_BYTES];

	put32(bytes, mechanism);
	if (iv_bytes)
		memcpy(bytes + 4, iv, iv_bytes);
	add(bytes, 4 + iv_bytes);
}

static void begin(unsigned int api, unsigned int function)
{
	request_bytes = CPRB_BYTES + 4;
	add32(api << 16 | function);
	add32(target.domain);
}

/* A tagged length; sets `count` and returns what follows. */
static const uint8_t *enter(const uint8_t *at, size_t *count)
{
	unsigned int first = at[1], more = first & 0x80 ? first & 0x7f : 0;

	*count = more ? 0 : first;
	for (unsigned int i = 0; i < more; i++)
		*count = *count << 8 | at[2 + i];
	return at + 2 + more;
}

static void end_by_failure(const char *what, uint32_t value)
{
	fprintf(stderr, "%s %x\n", what, value);
	exit(1);
}

/* Sends what was added; returns the reply's first value. */
static const uint8_t *send_function(uint8_t flags, size_t *count)
{
	struct ep11_message message = {
		.target_count = 1, .targets = &target, .request_bytes = request_bytes, .request = request,
		.reply_bytes = ROOM, .reply = reply,
	};
	size_t payload = request_bytes - CPRB_BYTES, length;
	const uint8_t *at;
	int failure;

	put16(request, CPRB_BYTES);
	request[CPRB_VERSION_AT] = 4;
	request[CPRB_FLAGS_AT] = flags;
	memcpy(request + CPRB_FUNCTION_AT, "T4", 2);
	put32(request + CPRB_TARGET_AT, target.domain);
	put32(request + CPRB_RETURN_CODE_AT, 0xffffffff);
	put32(request + CPRB_PAYLOAD_BYTES_AT, (uint32_t)payload);
	request[CPRB_BYTES] = 0x30;
	request[CPRB_BYTES + 1] = 0x82;
	put16(request + CPRB_BYTES + 2, (uint16_t)(payload - 4));
	failure = ask_device(EP11_REQUEST, &message);
	if (failure) {
		fprintf(stderr, "errno %d\n", failure);
		exit(1);
	}
	if (get32(reply + CPRB_RETURN_CODE_AT))
		end_by_failure("CPRB", get32(reply + CPRB_RETURN_CODE_AT));
	at = enter(reply + CPRB_BYTES, &length);
	for (int value = 0; value < 2; value++) {
		at = enter(at, &length);
		at += length;
	}
	at = enter(at, &length);
	if (get32(at))
		end_by_failure("value", get32(at));
	return enter(at + length, count);
}

static void print_answer(uint8_t flags)
{
	size_t count;
	const uint8_t *bytes = send_function(flags, &count);

	print_hex(bytes, count);
}

static void info(char **words)
{
	begin(1, GET_INFO);
	add32((uint32_t)atoi(words[0]));
	add32(0);
	print_answer(0);
}

static void generate(char **words)
{
	uint32_t bytes = (uint32_t)atoi(words[0]) / 8, mask = (uint32_t)strtoul(words[1], NULL, 16);
	uint32_t attributes[] = { 0x10010000, mask, mask, ATTRIBUTE_VALUE_BYTES, bytes };

	begin(1, GENERATE_KEY);
	add32(0);
	add32(bytes);
	add_mechanism(MECHANISM_AES_KEY_GENERATION, NULL, 0);
	add(attributes, sizeof(attributes));
	add_nothing();
	print_answer(0);
}

static void add_blob(const char *digits)
{
	uint8_t blob[BLOB_ROOM];

	add(blob, from_hex(digits, blob, sizeof(blob)));
}

static void add_cbc(const char *digits)
{
	uint8_t iv[IV_BYTES];

	add_mechanism(MECHANISM_AES_CBC_PADDED, iv, from_hex(digits, iv, sizeof(iv)));
}

static void add_data(const char *digits)
{
	static uint8_t bytes[ROOM / 2];

	add(bytes, from_hex(digits, bytes, sizeof(bytes)));
}

static void crypt(unsigned int function, char **words)
{
	begin(1, function);
	add32(0);
	add_cbc(words[1]);
	add_blob(words[0]);
	add_data(words[2]);
	print_answer(0);
}

static void encrypt(char **words)
{
	crypt(ENCRYPT, words);
}

static void decrypt(char **words)
{
	crypt(DECRYPT, words);
}

/* The answer's protected key is at 42. */
static void wrap(char **words)
{
	size_t count;
	const uint8_t *answer;

	begin(4, WRAP_KEY);
	add32(0);
	add_mechanism(MECHANISM_CPACF_WRAP, NULL, 0);
	add_blob(words[0]);
	add_nothing();
	add_nothing();
	answer = send_function(FLAG_SPECIAL, &count);
	print_hex(answer + 42, count - 42);
}

static void unwrap(char **words)
{
	uint32_t attributes[] = {
		0x10020000, KEY_ATTRIBUTES, KEY_ATTRIBUTES, ATTRIBUTE_KEY_TYPE, KEY_TYPE_AES,
		ATTRIBUTE_VALUE_BYTES, (uint32_t)atoi(words[3]) / 8,
	};

	begin(1, UNWRAP_KEY);
	add(attributes, sizeof(attributes));
	add_cbc(words[1]);
	add_blob(words[0]);
	add_nothing();
	add_nothing();
	add_data(words[2]);
	print_answer(0);
}

int main(int count, char **words)
{
	static const struct {
		const char *name;
		int word_count;
		void (*run)(char **words);
	} actions[] = {
		{ "info", 1, info }, { "generate", 2, generate }, { "encrypt", 3, encrypt },
		{ "decrypt", 3, decrypt }, { "wrap", 1, wrap }, { "unwrap", 4, unwrap },
	};

	if (count < 4)
		usage("ep11 CARD DOMAIN ACTION WORD...");
	target.card = (uint16_t)strtoul(words[1], NULL, 16);
	target.domain = (uint16_t)strtoul(words[2], NULL, 16);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!strcmp(words[3], actions[i].name) && count == 4 + actions[i].word_count) {
			actions[i].run(words + 4);
			return 0;
		}
	}
	usage("ep11 CARD DOMAIN info|generate|encrypt|decrypt|wrap|unwrap WORD...");
}
