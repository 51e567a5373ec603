/*
 * RSA on a card: each line of stdin is one operation, numbers in hexadecimal digits.
 *
 *   me INPUT EXPONENT MODULUS       all as long as the modulus
 *   crt INPUT P Q DP DQ U           the input as long as the modulus, the others half of it
 *
 * Prints the result of each in a line, or the driver's errno.
 */
#include "device.h"
#include "hex.h"

#define MAX_BYTES 512
#define MAX_WORDS 7
#define MORE 8

static uint8_t words[MAX_WORDS][MAX_BYTES], output[MAX_BYTES];

static int exponentiate(size_t bytes)
{
	struct rsa_exponent argument = {
		{ words[1], (uint32_t)bytes, output, (uint32_t)bytes }, words[2], words[3],
	};

	return ask_device(RSA_EXPONENT_REQUEST, &argument);
}

/* With eight bytes of zeros in front. */
static const uint8_t *longer(int word, size_t half)
{
	static uint8_t room[MAX_WORDS][MORE + MAX_BYTES / 2];

	memset(room[word], 0, MORE);
	memcpy(room[word] + MORE, words[word], half);
	return room[word];
}

static int combine(size_t bytes)
{
	size_t half = bytes / 2;
	struct rsa_crt argument = {
		.operand = { words[1], (uint32_t)bytes, output, (uint32_t)bytes },
		.p = longer(2, half), .q = words[3], .dp = longer(4, half), .dq = words[5], .u = longer(6, half),
	};

	return ask_device(RSA_CRT_REQUEST, &argument);
}

int main(void)
{
	static char line[MAX_WORDS * (2 * MAX_BYTES + 1) + 8];

	while (fgets(line, sizeof(line), stdin)) {
		size_t bytes = 0;
		int count = 0, is_crt, failure;

		line[strcspn(line, "\n")] = '\0';
		is_crt = !strncmp(line, "crt ", 4);
		for (char *word = strtok(line, " "); word && count < MAX_WORDS; word = strtok(NULL, " "), count++) {
			if (count > 0) {
				size_t length = from_hex(word, words[count], MAX_BYTES);

				bytes = count == 1 ? length : bytes;
				if (length != (is_crt && count > 1 ? bytes / 2 : bytes))
					usage("numbers of the modulus's length");
			}
		}
		if (count != (is_crt ? 7 : 4))
			usage("me INPUT EXPONENT MODULUS or crt INPUT P Q DP DQ U");
		failure = is_crt ? combine(bytes) : exponentiate(bytes);
		if (failure)
			printf("errno %d\n", failure);
		else
			print_hex(output, bytes);
	}
	return 0;
}
