//! Where segments end. A line break ends one only where another follows: senders break the lines of a text or a file inside a
//! field.

use super::{Delimiters, Segment, Spelling};

pub(super) fn segments(body: &[u8], delimiters: Delimiters, spelling: Spelling) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some((at, end)) = next_break(body, from) {
        let raw = body.get(start..at).unwrap_or_default();
        let rest = body.get(end..).unwrap_or_default();
        let indent = rest.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
        let line = rest.get(indent..).unwrap_or_default();
        // In a text or a file, three letters are a segment only if HL7 knows them, and alone on a line never; an indented line
        // is one only with a field in it.
        let in_text = raw.starts_with(b"OBX") || raw.starts_with(b"NTE");
        let is_known = !in_text || names_segment(line);
        if is_known && starts_segment(line, delimiters.field, indent > 0 || in_text) {
            let terminator = body.get(at..end + indent).unwrap_or_default();
            segments.push(Segment { raw, terminator, delimiters, spelling });
            start = end + indent;
        }
        from = end;
    }
    let raw = body.get(start..).unwrap_or_default();
    segments.push(Segment { raw, terminator: b"", delimiters, spelling });
    segments
}

/// From where to where the next line break stands: blank lines are part of it.
fn next_break(body: &[u8], from: usize) -> Option<(usize, usize)> {
    let is_break = |&byte: &u8| byte == b'\r' || byte == b'\n';
    let rest = body.get(from..)?;
    let at = rest.iter().position(is_break)?;
    let width = rest.get(at..)?.iter().take_while(|byte| is_break(byte)).count();
    Some((from + at, from + at + width))
}

fn starts_segment(rest: &[u8], field: u8, with_field: bool) -> bool {
    match rest {
        [first, second, third, next @ ..] => {
            first.is_ascii_uppercase()
                && [second, third].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && match next.first() {
                    Some(&byte) => byte == field || (!with_field && (byte == b'\r' || byte == b'\n')),
                    None => !with_field,
                }
        }
        [] | [_] | [_, _] => false,
    }
}

/// Segments that may stand behind an observation or a comment, and those of the sender's own (Z).
pub(crate) fn names_segment(line: &[u8]) -> bool {
    let name = line.get(..3).unwrap_or_default();
    name.starts_with(b"Z") || SEGMENTS.split(' ').any(|known| known.as_bytes() == name)
}

const SEGMENTS: &str = "ABS ACC ADD AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS BTX BUI CDO CER CM0 CM1 CM2 \
CNS CON CSP CSR CSS CTD CTI DB1 DEV DG1 DMI DON DPS DRG DSC DSP DST ECD ECR EDU EQP EQU ERR EVN FAC FHS FT1 FTS GOL GP1 GP2 \
GT1 IAM IAR IIM ILT IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH LDP LOC LRL MCP MFA MFE MFI MRG MSA MSH NCK NDS NK1 \
NPU NSC NST NTE OBR OBX ODS ODT OH1 OH2 OH3 OH4 OM1 OM2 OM3 OM4 OM5 OM6 OM7 OMC ORC ORG OVR PAC PCE PCR PD1 PDA PDC PEO PES \
PID PKG PM1 PMT PR1 PRA PRB PRC PRD PRT PSG PSH PSL PSS PTH PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1 RFI RGS \
RMI ROL RQ1 RQD RXA RXC RXD RXE RXG RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT SPM SPR STF STZ TCC TCD TQ1 TQ2 \
TXA UAC UB1 UB2 URD URS VAR VND VTQ";
