/*
 * Signs and verifies on the cards until it is killed. The key is a line of stdin, in hexadecimal digits:
 *
 *   MODULUS EXPONENT P Q DP DQ U    the exponent as long as the modulus, those behind it half of it
 *
 * Each round raises another message to the private exponent, by the Chinese remainder theorem, and what comes of it to the public one, which
 * has to give the message. A request that ends with an error is sent again, for ever. Prints each second how many rounds it did, how many
 * of them were wrong, how many requests it sent again, and the errno of the last one of those or 0.
 */
#include "device.h"
#include "hex.h"
#include <time.h>
#include <unistd.h>

#define MAX_BYTES 512
#define MORE 8
#define WORDS 7
#define AGAIN_MICROSECONDS 10000

enum { MODULUS, EXPONENT, P, Q, DP, DQ, U };

static uint8_t key[WORDS][MORE + MAX_BYTES], message[MAX_BYTES], signature[MAX_BYTES], verified[MAX_BYTES];
static size_t bytes;
static unsigned long rounds, wrong, again;
static int last_errno;

/* p, dp and u have eight bytes of zeros in front. */
static size_t zeros_before(int word)
{
	return word == P || word == DP || word == U ? MORE : 0;
}

static void read_key(void)
{
	static char line[WORDS * (2 * MAX_BYTES + 1) + 2];
	char *word = fgets(line, sizeof(line), stdin);

	for (int i = 0; i < WORDS; i++) {
		size_t length;

		word = strtok(i ? NULL : word, " \n");
		if (!word)
			usage("MODULUS EXPONENT P Q DP DQ U in a line of stdin");
		length = from_hex(word, key[i] + zeros_before(i), MAX_BYTES);
		bytes = i == MODULUS ? length : bytes;
		if (length != (i < P ? bytes : bytes / 2))
			usage("numbers of the modulus's length, and of half of it");
	}
}

static void ask_until_done(unsigned int request, void *argument)
{
	for (;;) {
		int failure = ask_device(request, argument);

		if (!failure)
			return;
		again++;
		last_errno = failure;
		usleep(AGAIN_MICROSECONDS);
	}
}

static void do_round(void)
{
	struct rsa_crt sign = {
		.operand = { message, (uint32_t)bytes, signature, (uint32_t)bytes },
		.p = key[P], .q = key[Q], .dp = key[DP], .dq = key[DQ], .u = key[U],
	};
	struct rsa_exponent verify = {
		{ signature, (uint32_t)bytes, verified, (uint32_t)bytes }, key[EXPONENT], key[MODULUS],
	};

	/* Less than the modulus, and another one each time. */
	memset(message, 0x5a, bytes);
	message[0] = 0;
	memcpy(message + bytes - sizeof(rounds), &rounds, sizeof(rounds));
	memset(signature, 0, bytes);
	memset(verified, 0, bytes);
	ask_until_done(RSA_CRT_REQUEST, &sign);
	ask_until_done(RSA_EXPONENT_REQUEST, &verify);
	rounds++;
	wrong += memcmp(message, verified, bytes) != 0;
}

int main(void)
{
	time_t told = 0;

	read_key();
	for (;;) {
		struct timespec now;

		do_round();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec == told)
			continue;
		told = now.tv_sec;
		printf("%lu %lu %lu %d\n", rounds, wrong, again, last_errno);
		fflush(stdout);
	}
}
