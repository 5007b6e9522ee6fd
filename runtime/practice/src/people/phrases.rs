//! What patients write, in their own language and in more than one way.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// In a practice file by its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PatientLanguage {
    #[serde(rename = "en")]
    English,
    #[serde(rename = "es")]
    Spanish,
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "vi")]
    Vietnamese,
}

impl PatientLanguage {
    /// BCP 47, as FHIR's Patient.communication carries it.
    pub fn tag(self) -> &'static str {
        match self {
            PatientLanguage::English => "en",
            PatientLanguage::Spanish => "es",
            PatientLanguage::Chinese => "zh",
            PatientLanguage::Vietnamese => "vi",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            PatientLanguage::English => "English",
            PatientLanguage::Spanish => "Spanish",
            PatientLanguage::Chinese => "Chinese",
            PatientLanguage::Vietnamese => "Vietnamese",
        }
    }
}

/// What a patient means by a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Yes, please; a time will be found.
    Agrees,
    /// A visit has been agreed with the specialist's office.
    Booked,
    /// Will be there.
    Coming,
    /// Wants another time.
    Moves,
    /// Cannot come.
    NotComing,
    Attended,
    Asks,
    Declines,
    Stops,
    WrongPerson,
    Emergency,
}

pub(crate) fn phrase(language: PatientLanguage, meaning: Meaning, dice: &mut Dice) -> &'static str {
    dice.pick(phrases(language, meaning))
}

#[rustfmt::skip]
fn phrases(language: PatientLanguage, meaning: Meaning) -> &'static [&'static str] {
    match language {
        PatientLanguage::English => match meaning {
            Meaning::Agrees      => &["Yes", "1", "yes please", "Ok I will go", "YES thank you", "Sure, sounds good 👍", "yep"],
            Meaning::Booked      => &["I already scheduled it", "Got my appointment, thanks", "I called and made the appointment", "all booked!"],
            Meaning::Coming      => &["Yes", "I'll be there", "Confirmed", "C", "see you then", "yes I am coming"],
            Meaning::Moves       => &["I need to reschedule", "Can we find a different day?", "can I move it to next week"],
            Meaning::NotComing   => &["I can't make it to my appointment", "Sorry, I won't be able to come that day"],
            Meaning::Attended    => &["Yes I went", "I saw the doctor already", "went last week, all good"],
            Meaning::Asks        => &["Does my insurance cover this?", "Where is the office?", "What is this about?", "do I need to fast before?"],
            Meaning::Declines    => &["No thank you, I don't want to see a specialist", "I'm not interested, I feel better now"],
            Meaning::Stops       => &["STOP", "Stop", "stop texting me", "Unsubscribe", "please don't text me anymore"],
            Meaning::WrongPerson => &["You have the wrong number", "Wrong person", "I don't know who that is, wrong number"],
            Meaning::Emergency   => &["I have bad chest pain right now and can't breathe", "I think I'm having a heart attack"],
        },
        PatientLanguage::Spanish => match meaning {
            Meaning::Agrees      => &["Sí", "1", "si por favor", "Claro que sí", "Está bien, gracias", "si quiero la cita"],
            Meaning::Booked      => &["Ya tengo cita", "sí, ya hice la cita", "Ya llamé y me dieron la cita", "ya agendé gracias"],
            Meaning::Coming      => &["Sí", "Ahí estaré", "Confirmo", "si voy a ir", "confirmado gracias"],
            Meaning::Moves       => &["Necesito cambiar la cita", "¿Puede ser otro día?", "quiero reprogramar mi cita"],
            Meaning::NotComing   => &["No puedo ir a la cita", "Ese día no voy a poder asistir"],
            Meaning::Attended    => &["Sí, ya fui", "Ya me vio el doctor", "si fui la semana pasada"],
            Meaning::Asks        => &["¿Cuánto cuesta?", "¿Dónde queda la oficina?", "¿Lo cubre mi seguro?", "hablan español?"],
            Meaning::Declines    => &["No gracias, no quiero ir", "ya no me interesa, me siento mejor"],
            Meaning::Stops       => &["STOP", "ya no me manden mensajes", "ALTO", "no quiero más mensajes"],
            Meaning::WrongPerson => &["Número equivocado", "No conozco a esa persona", "se equivocó de número"],
            Meaning::Emergency   => &["Me duele mucho el pecho y no puedo respirar", "es una emergencia, me estoy desmayando"],
        },
        PatientLanguage::Chinese => match meaning {
            Meaning::Agrees      => &["好的", "1", "可以，谢谢", "是的", "好，麻烦安排一下"],
            Meaning::Booked      => &["我已经预约了", "约好了，谢谢", "已经打电话约了时间"],
            Meaning::Coming      => &["好的，我会去", "确认", "会准时到", "是"],
            Meaning::Moves       => &["我想改时间", "可以换一天吗？"],
            Meaning::NotComing   => &["那天我去不了", "我不能去了"],
            Meaning::Attended    => &["已经去过了", "我上周看过医生了"],
            Meaning::Asks        => &["保险包吗？", "诊所在哪里？", "要多少钱？"],
            Meaning::Declines    => &["不用了，谢谢", "我不想去看专科了"],
            Meaning::Stops       => &["不要再发短信了", "STOP", "退订"],
            Meaning::WrongPerson => &["打错了，我不认识这个人", "发错号码了"],
            Meaning::Emergency   => &["我胸口很痛，喘不过气", "救命，我快晕倒了"],
        },
        PatientLanguage::Vietnamese => match meaning {
            Meaning::Agrees      => &["Vâng", "1", "dạ được", "Đồng ý, cảm ơn", "co"],
            Meaning::Booked      => &["Tôi đã đặt hẹn rồi", "da dat lich roi", "Tôi gọi và có hẹn rồi"],
            Meaning::Coming      => &["Vâng tôi sẽ đến", "Xác nhận", "dạ tôi đi được"],
            Meaning::Moves       => &["Tôi muốn đổi ngày hẹn", "cho toi doi lich"],
            Meaning::NotComing   => &["Hôm đó tôi không đến được", "toi khong di duoc"],
            Meaning::Attended    => &["Tôi đã đi khám rồi", "da di kham roi"],
            Meaning::Asks        => &["Bảo hiểm có trả không?", "Phòng khám ở đâu?"],
            Meaning::Declines    => &["Không cần, cảm ơn", "Tôi không muốn đi khám"],
            Meaning::Stops       => &["STOP", "Đừng nhắn tin nữa", "xin dung gui tin nhan"],
            Meaning::WrongPerson => &["Nhầm số rồi", "Tôi không biết người này, nhầm số"],
            Meaning::Emergency   => &["Tôi đau ngực dữ dội, khó thở", "cấp cứu, tôi sắp ngất"],
        },
    }
}
