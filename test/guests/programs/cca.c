/*
 * Verbs of a CCA coprocessor, by CPRBs of our own.
 *
 *   cca CARD DOMAIN random BYTES
 *   cca CARD DOMAIN facility STATICSA|STATICSB     its cells of eight characters, then the patterns
 *   cca CARD DOMAIN generate BITS                  an AES DATA token
 *   cca CARD DOMAIN import KEY                     the same of a key in the clear
 *   cca CARD DOMAIN protect TOKEN                  its protected key
 *
 * Prints digits or cells. Exit status 1: the errno, or the card's return and reason code, is on stderr.
 */
#include "device.h"
#include "hex.h"

#define CPRB_BYTES 220
#define ROOM 8192
#define TOKEN_BYTES 64

enum {
	CPRB_VERSION_AT = 2,
	CPRB_FUNCTION_AT = 6,
	CPRB_REQUEST_BYTES_AT = 12,
	CPRB_REPLY_ROOM_AT = 20,
	CPRB_REPLY_DATA_ROOM_AT = 28,
	CPRB_REPLY_DATA_BYTES_AT = 32,
	CPRB_RETURN_CODE_AT = 144,
	CPRB_REASON_CODE_AT = 146,
	CPRB_DOMAIN_AT = 170,
};

static uint8_t request[ROOM], reply[ROOM], data[ROOM];
static size_t request_bytes = CPRB_BYTES;
static unsigned int card, domain;

static void add(const void *bytes, size_t count)
{
	memcpy(request + request_bytes, bytes, count);
	request_bytes += count;
}

static void add16(uint16_t value)
{
	add(&value, sizeof(value));
}

static void add_zeros(size_t count)
{
	static const uint8_t zeros[TOKEN_BYTES];

	add(zeros, count);
}

/* A length that counts itself, then the bytes. */
static void add_block(const void *bytes, size_t count)
{
	add16((uint16_t)(count + 2));
	add(bytes, count);
}

/* Sends what was added; returns the reply's parameters behind the function code. */
static const uint8_t *send_verb(size_t data_room)
{
	struct cca_message message = {
		.agent = 0x4341, .card = card, .request_bytes = (uint32_t)request_bytes, .request = request,
		.reply_bytes = ROOM, .reply = reply, .reply_data_bytes = (uint32_t)data_room, .reply_data = data,
	};
	uint16_t code, reason;
	int failure;

	put16(request, CPRB_BYTES);
	request[CPRB_VERSION_AT] = 2;
	memcpy(request + CPRB_FUNCTION_AT, "T2", 2);
	put32(request + CPRB_REQUEST_BYTES_AT, (uint32_t)(request_bytes - CPRB_BYTES));
	put32(request + CPRB_REPLY_ROOM_AT, ROOM - CPRB_BYTES);
	put32(request + CPRB_REPLY_DATA_ROOM_AT, (uint32_t)data_room);
	put16(request + CPRB_DOMAIN_AT, (uint16_t)domain);
	failure = ask_device(CCA_REQUEST, &message);
	if (failure) {
		fprintf(stderr, "errno %d\n", failure);
		exit(1);
	}
	code = get16(reply + CPRB_RETURN_CODE_AT);
	reason = get16(reply + CPRB_REASON_CODE_AT);
	if (code) {
		fprintf(stderr, "%u/%u\n", code, reason);
		exit(1);
	}
	return reply + CPRB_BYTES + 2;
}

static const uint8_t *behind_block(const uint8_t *block)
{
	return block + get16(block);
}

/* A reply of KG or CM: no rules, no data, then the key block, in which are length, flags and the token. */
static void print_token(const uint8_t *parameters)
{
	const uint8_t *inner = behind_block(behind_block(parameters)) + 2;

	print_hex(inner + 4, get16(inner) - 4u);
}

static void generate(const char *bits)
{
	char length[16];

	add("KG", 2);
	add_block("", 0);
	snprintf(length, sizeof(length), "KEYLN%-3d", atoi(bits) / 8);
	add16(34);
	add("OP      ", 8);
	add(length, 8);
	add("AESDATA ", 8);
	add_zeros(8);
	add16(410);
	for (int block = 0; block < 6; block++) {
		add16(68);
		add16(block == 2 ? 0x30 : 0x10);
		add_zeros(TOKEN_BYTES);
	}
	print_token(send_verb(0));
}

static void import_key(const char *digits)
{
	uint8_t key[32];

	add("CM", 2);
	add_block("AES     ", 8);
	add_block(key, from_hex(digits, key, sizeof(key)));
	add16(70);
	add16(68);
	add16(0x30);
	add_zeros(TOKEN_BYTES);
	print_token(send_verb(0));
}

/* The reply's key block: length of the protected key at 8, the key from 10. */
static void protect(const char *digits)
{
	uint8_t token[TOKEN_BYTES];
	const uint8_t *block;

	if (from_hex(digits, token, sizeof(token)) != TOKEN_BYTES)
		usage("protect TOKEN, 64 bytes");
	add("US", 2);
	add_block("", 0);
	add16(6);
	add16(4);
	add16(1);
	add16(70);
	add16(68);
	add16(0);
	add(token, sizeof(token));
	block = behind_block(send_verb(0)) + 6;
	print_hex(block + 10, get16(block + 8));
}

static void print_random(const char *bytes)
{
	size_t count = (size_t)atoi(bytes);

	if (count > ROOM)
		usage("random BYTES, not so many");
	add("RL", 2);
	add_block("RANDOM  ", 8);
	add_block("", 0);
	add_block("", 0);
	send_verb(count);
	print_hex(data, get32(reply + CPRB_REPLY_DATA_BYTES_AT));
}

static void print_facility(const char *keyword)
{
	static uint8_t room[4096];
	const uint8_t *rules, *patterns;

	if (strlen(keyword) != 8)
		usage("facility STATICSA|STATICSB");
	add("FQ", 2);
	add_block(keyword, 8);
	add_block(room, sizeof(room));
	add_block("", 0);
	rules = send_verb(0);
	for (size_t cell = 0; cell < (get16(rules) - 2u) / 8; cell++)
		printf("%.8s\n", (const char *)rules + 2 + 8 * cell);
	patterns = behind_block(rules);
	print_hex(patterns + 2, get16(patterns) - 2u);
}

int main(int count, char **words)
{
	static const struct {
		const char *name;
		void (*run)(const char *word);
	} actions[] = {
		{ "random", print_random }, { "facility", print_facility }, { "generate", generate },
		{ "import", import_key }, { "protect", protect },
	};

	if (count != 5)
		usage("cca CARD DOMAIN ACTION WORD");
	card = (unsigned int)strtoul(words[1], NULL, 16);
	domain = (unsigned int)strtoul(words[2], NULL, 16);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!strcmp(words[3], actions[i].name)) {
			actions[i].run(words[4]);
			return 0;
		}
	}
	usage("cca CARD DOMAIN random|facility|generate|import|protect WORD");
}
