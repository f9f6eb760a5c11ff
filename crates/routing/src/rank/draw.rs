//! The random draw: exact integers, and a generator small enough to replay anywhere.

use switchyard_domain::money::UsdPicos;

/// Bits of a price ratio that a weight keeps: an endpoint up to 16 million times dearer than the
/// cheapest still has a chance, and the sum over 65,536 endpoints times a 64-bit fraction still
/// fits 128 bits.
const RATIO_BITS: u32 = 24;

/// What is free weighs this much, and the rest nothing beside it.
const FREE: u64 = 1;

/// The chances of the members of one draw.
pub(super) struct Weights {
    pub(super) each: Vec<u64>,
    total: u64,
}

/// Weights by the inverse square of the cost: at three times the price a ninth of the requests.
/// Free endpoints share the whole draw.
pub(super) fn weights(costs: impl Iterator<Item = UsdPicos> + Clone) -> Weights {
    let cheapest = costs.clone().map(amount).min().unwrap_or(0);
    let each: Vec<u64> = costs.map(|cost| weight(cheapest, amount(cost))).collect();
    let total = each.iter().sum();
    Weights { each, total }
}

fn amount(cost: UsdPicos) -> u128 {
    u128::try_from(cost.get()).unwrap_or(0)
}

fn weight(cheapest: u128, cost: u128) -> u64 {
    if cheapest == 0 {
        return if cost == 0 { FREE } else { 0 };
    }
    // Amounts beyond any price are scaled down together, so that the ratio's shift cannot overflow.
    let excess = (cheapest.ilog2() + RATIO_BITS + 1).saturating_sub(u128::BITS);
    let ratio = ((cheapest >> excess) << RATIO_BITS) / (cost >> excess);
    // The cheapest is not above the cost, so the ratio has RATIO_BITS and its square twice those.
    u64::try_from(ratio * ratio).unwrap_or(u64::MAX)
}

impl Weights {
    /// Which member a fraction of the unit interval, in units of 2^-64, falls to.
    pub(super) fn pick(&self, fraction: u64) -> usize {
        let target = (u128::from(fraction) * u128::from(self.total)) >> u64::BITS;
        let mut passed = 0_u128;
        self.each
            .iter()
            .position(|weight| {
                passed += u128::from(*weight);
                target < passed
            })
            .unwrap_or(0)
    }

    /// Which member a digest belongs to, by weighted rendezvous hashing: over many digests each
    /// member gets its chance's share, and a member that comes or goes moves no digest between
    /// the others.
    pub(super) fn rendezvous<'a>(&self, digest: u64, ids: impl Iterator<Item = &'a str>) -> usize {
        let mut best = (0, u64::MAX, 0);
        for (index, (id, weight)) in ids.zip(&self.each).enumerate() {
            let distance = surprise(fraction_for(digest, id));
            let (_, best_distance, best_weight) = best;
            let nearer = u128::from(distance) * u128::from(best_weight)
                < u128::from(best_distance) * u128::from(*weight);
            if nearer {
                best = (index, distance, *weight);
            }
        }
        best.0
    }

    /// A member's chance in parts per million, rounded down.
    pub(super) fn ppm(&self, weight: u64) -> u64 {
        let share = u128::from(weight) * 1_000_000 / u128::from(self.total.max(1));
        u64::try_from(share).unwrap_or(1_000_000)
    }
}

/// A fraction of the unit interval in units of 2^-64, evenly spread over seeds and independent
/// between groups: SplitMix64's output at the group's step of its sequence.
pub(crate) fn fraction(seed: u64, group: usize) -> u64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let steps = (group as u64).wrapping_add(1);
    let mut bits = seed.wrapping_add(STEP.wrapping_mul(steps));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A fraction of the unit interval that belongs to one endpoint: evenly spread over seeds, and
/// independent between ids.
pub(super) fn fraction_for(seed: u64, id: &str) -> u64 {
    const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let hash = id.bytes().fold(BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    fraction(seed ^ hash, 0)
}

/// Fractional bits of a [`surprise`].
const LOG_BITS: u32 = 24;

/// The negative binary logarithm of a fraction of the unit interval, in units of 2^-24; from evenly
/// spread fractions come exponentially spread distances. In integers, so that every machine finds
/// the same.
fn surprise(fraction: u64) -> u64 {
    let fraction = fraction.max(1);
    let mut mantissa = u128::from(fraction << fraction.leading_zeros());
    let mut log = u64::from(fraction.ilog2());
    for _ in 0..LOG_BITS {
        mantissa = (mantissa * mantissa) >> (u64::BITS - 1);
        let bit = u64::from(mantissa >> u64::BITS != 0);
        mantissa >>= bit;
        log = (log << 1) | bit;
    }
    (u64::from(u64::BITS) << LOG_BITS) - log
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(costs: &[i128]) -> Weights {
        weights(costs.iter().map(|cost| UsdPicos::new(*cost)))
    }

    fn ppm(costs: &[i128]) -> Vec<u64> {
        let weights = of(costs);
        weights
            .each
            .iter()
            .map(|weight| weights.ppm(*weight))
            .collect()
    }

    #[test]
    fn chances_fall_with_the_square_of_the_cost() {
        assert_eq!(ppm(&[1, 2, 3]), [734_693, 183_673, 81_632]);
        assert_eq!(ppm(&[1, 3]), [900_000, 99_999]);
        assert_eq!(ppm(&[0, 0, 5]), [500_000, 500_000, 0]);
        assert_eq!(ppm(&[7]), [1_000_000]);
        let huge = i128::MAX;
        assert_eq!(ppm(&[huge, huge / 2 + 1]), [200_000, 800_000]);
    }

    #[test]
    fn the_unit_interval_is_cut_in_the_order_given() {
        let weights = of(&[1, 2]);
        let four_fifths = u64::MAX / 5 * 4;
        assert_eq!(weights.pick(0), 0);
        assert_eq!(weights.pick(four_fifths - 1_000_000), 0);
        assert_eq!(weights.pick(four_fifths + 1_000_000), 1);
        assert_eq!(weights.pick(u64::MAX), 1);
        assert_eq!(of(&[0, 9, 0]).pick(u64::MAX), 2);
    }

    #[test]
    fn a_surprise_is_a_logarithm() {
        for fraction in [1, 2, 3, 1 << 40, u64::MAX / 3, u64::MAX / 2, u64::MAX] {
            let exact = 64.0 - (fraction as f64).log2();
            let found = surprise(fraction) as f64 / f64::from(1 << LOG_BITS);
            assert!((exact - found).abs() < 1e-6, "{fraction}: {found}");
        }
    }

    #[test]
    fn digests_spread_by_weight_and_stay_when_others_go() {
        const DIGESTS: u64 = 20_000;
        let ids = ["a", "b", "c"];
        let (all, without_b) = (of(&[1, 2, 3]), of(&[1, 3]));
        let mut counts = [0_u64; 3];
        for digest in 0..DIGESTS {
            let member = all.rendezvous(digest, ids.into_iter());
            counts[member] += 1;
            let later = without_b.rendezvous(digest, ["a", "c"].into_iter());
            assert!(member == 1 || ids[member] == ["a", "c"][later], "{digest}");
        }
        for (count, weight) in counts.into_iter().zip([36, 9, 4]) {
            assert!(count.abs_diff(DIGESTS * weight / 49) < 260, "{counts:?}");
        }
        assert!((0..99).all(|digest| of(&[9, 0]).rendezvous(digest, ids.into_iter()) == 1));
    }

    #[test]
    fn the_generator_is_splitmix64() {
        // The published first outputs for seed 1234567.
        let outputs: Vec<u64> = (0..3).map(|group| fraction(1_234_567, group)).collect();
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
