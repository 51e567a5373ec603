/**
 * Standards that a domain or an adapter holds its users to, a bit each; Linux prints FIPS2009, BSI2009 and so on from the right.
 * Source: Linux drivers/s390/crypto/zcrypt_cex4.c, ep11_op_modes. Here always the two weakest: nobody can set another.
 */
export const defaultOperatingModes = 0x3n;
