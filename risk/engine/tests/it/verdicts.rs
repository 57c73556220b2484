//! Bytes, signatures, and two verdicts about one order.

use chain_types::{ChainId, Height, ParticipantId, SecretKey, TimeMs};
use risk_engine::{
    CompiledModel, ConflictFlaw, EngineSize, RiskDecision, RiskEngine, RiskVerdict,
    SignedRiskVerdict, VerdictConflict, VerdictError, judge,
};

use crate::support::{Draw, HEAD, digest, inquiry, model};

fn verdict() -> RiskVerdict {
    RiskVerdict {
        item: digest(1),
        model: digest(2),
        private: digest(3),
        height: Height::new(0x0102_0304_0506_0708),
        time: TimeMs::new(1_790_000_000_123),
        score: -2,
        desk: ParticipantId::new(401),
        decision: RiskDecision::Hold,
        reasons: [66, 9, 0],
    }
}

fn chain() -> ChainId {
    ChainId::new(digest(99))
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[41; 32])
}

#[test]
fn the_bytes_are_these() {
    let bytes = verdict().bytes();
    assert_eq!(bytes[..32], digest(1).bytes());
    assert_eq!(bytes[64..96], digest(3).bytes());
    let rest = [
        8, 7, 6, 5, 4, 3, 2, 1, // height
        0x7B, 0x6C, 0x50, 0xC4, 0xA0, 1, 0, 0, // time
        0xFE, 0xFF, 0xFF, 0xFF, // score
        0x91, 1, 0, 0, // desk
        1, 0, // decision
        66, 0, 9, 0, 0, 0, // reasons
    ];
    assert_eq!(u64::from_le_bytes(rest[8..16].try_into().unwrap()), verdict().time.get());
    assert_eq!(bytes[96..], rest);
    assert_eq!(RiskVerdict::from_bytes(&bytes), Ok(verdict()));
    let mut wrong = bytes;
    wrong[120] = 3;
    assert_eq!(RiskVerdict::from_bytes(&wrong), Err(VerdictError::Decision(3)));
}

#[test]
fn a_signature_holds_for_its_desk_chain_and_bytes_alone() {
    let signed = verdict().sign(chain(), &key());
    let public = key().public_key();
    assert_eq!(signed.verify(chain(), &public), Ok(()));
    assert_eq!(SignedRiskVerdict::from_bytes(&signed.bytes()), Ok(signed));
    let refused = Err(VerdictError::Signature(ParticipantId::new(401)));
    assert_eq!(signed.verify(ChainId::new(digest(98)), &public), refused);
    let other = SecretKey::from_seed(&[42; 32]).public_key();
    assert_eq!(signed.verify(chain(), &other), refused);
    for at in 0..signed.bytes().len() {
        let mut bytes = signed.bytes();
        bytes[at] ^= 1;
        let holds = SignedRiskVerdict::from_bytes(&bytes)
            .is_ok_and(|changed| changed.verify(chain(), &public).is_ok());
        assert!(!holds, "byte {at} does not count");
    }
    let length = SignedRiskVerdict::from_bytes(&signed.bytes()[1..]);
    assert_eq!(length, Err(VerdictError::Length(191)));
}

#[test]
fn two_verdicts_about_one_order_are_evidence() {
    let signed = |verdict: RiskVerdict| verdict.sign(chain(), &key());
    let one = signed(verdict());
    let two = signed(RiskVerdict { score: -3, ..verdict() });
    let public = key().public_key();
    let judged = |one, two| VerdictConflict::new(one, two, chain(), &public);
    let found = judged(one, two).unwrap();
    assert_eq!(judged(two, one).unwrap(), found, "evidence has one form");
    let (first, second) = found.verdicts();
    assert!(first.bytes() < second.bytes());
    assert!([one, two].contains(first) && [one, two].contains(second));
    assert_eq!(judged(one, one), Err(ConflictFlaw::Same));
    let items = signed(RiskVerdict { item: digest(4), ..verdict() });
    assert_eq!(judged(one, items), Err(ConflictFlaw::Items));
    let desks = signed(RiskVerdict { desk: ParticipantId::new(402), ..verdict() });
    assert_eq!(judged(one, desks), Err(ConflictFlaw::Desks(401, 402)));
    let forged = SignedRiskVerdict { signature: one.signature, ..two };
    let refused = VerdictError::Signature(ParticipantId::new(401));
    assert_eq!(judged(one, forged), Err(ConflictFlaw::Verdict(refused)));
    assert_eq!(judged(forged, one), Err(ConflictFlaw::Verdict(refused)));
}

#[test]
fn a_desk_decides_by_the_models_limits() {
    let table = [
        (i32::MIN, RiskDecision::Pass),
        (999, RiskDecision::Pass),
        (1_000, RiskDecision::Hold),
        (3_999, RiskDecision::Hold),
        (4_000, RiskDecision::Refuse),
        (i32::MAX, RiskDecision::Refuse),
    ];
    for (score, decision) in table {
        assert_eq!(HEAD.decide(score), decision, "{score}");
    }
}

#[test]
fn a_verdict_names_what_it_rests_on() {
    let mut draw = Draw(5);
    let model = CompiledModel::new(model(&mut draw));
    let size = EngineSize {
        user_sets_log2: 1,
        merchant_sets_log2: 1,
        device_sets_log2: 1,
        network_sets_log2: 1,
    };
    let mut engine = RiskEngine::new(&size).unwrap();
    engine.end_block(Height::new(8));
    let inquiry = inquiry(&mut draw, 9);
    let (desk, time) = (ParticipantId::new(401), TimeMs::new(1_790_000_000_000));
    let verdict = judge(&engine, &model, &inquiry, desk, time);
    assert_eq!(verdict.item, inquiry.item);
    assert_eq!(verdict.model, model.model().id());
    assert_eq!((verdict.height, verdict.time, verdict.desk), (Height::new(8), time, desk));
    let features = engine.features(&inquiry.order, &inquiry.private, time);
    assert_eq!(verdict.score, model.score(&features));
    assert_eq!(verdict.reasons, model.explain(&features).reasons());
    assert_eq!(verdict.private, inquiry.private.digest());
    let mut other = inquiry.private;
    other.blinding[0] ^= 1;
    assert_ne!(other.digest(), inquiry.private.digest());
    other = inquiry.private;
    other.values[15] ^= 1;
    assert_ne!(other.digest(), inquiry.private.digest());
}
