//! The forms by which telephones and mail programs mark what is not the patient's: data for `own_words`.
//!
//! As the systems write them, in the languages we text in. All in lower case; Spanish without its accents too.

/// What stands before the quoted text of a reaction, at its end: `Ana liked`, `A Ana le encantó`.
pub const REACTED: &[&str] = &[
    // iOS and Google Messages in English.
    "liked",
    "loved",
    "disliked",
    "hearted",
    "laughed at",
    "emphasized",
    "emphasised",
    "questioned",
    "exclaimed",
    "reacted to",
    "reacted with",
    "with a sticker to",
    "thumbs up to",
    "thumbs down to",
    // Spanish of Spain and of Latin America.
    "le gustó",
    "le gusto",
    "le encantó",
    "le encanto",
    "no le gustó",
    "no le gusto",
    "le dio risa",
    "le hizo gracia",
    "le causó gracia",
    "le dio énfasis a",
    "le dio enfasis a",
    "le dio importancia a",
    "enfatizó",
    "enfatizo",
    "destacó",
    "destaco",
    "exclamó",
    "cuestionó",
    "cuestiono",
    "preguntó por",
    "se rió de",
    "se rio de",
    "se ríe de",
    "me gusta",
    "me encanta",
    "le puso me gusta a",
    "indicó que le gusta",
    "marcó con me gusta",
    "le disgustó",
    "le disgusto",
    // Chinese, simplified and traditional.
    "赞了",
    "讚了",
    "点赞了",
    "點讚了",
    "赞",
    "讚",
    "喜欢了",
    "喜歡了",
    "喜欢",
    "喜歡",
    "爱了",
    "愛了",
    "爱心了",
    "不喜欢",
    "不喜歡",
    "不喜欢了",
    "不喜歡了",
    "踩了",
    "倒赞了",
    "大笑了",
    "笑了",
    "觉得好笑",
    "覺得好笑",
    "强调了",
    "強調了",
    "强调",
    "強調",
    "质疑了",
    "質疑了",
    "疑问",
    "疑問",
    "提问了",
    "回应了",
    "回應了",
    "表情回应了",
    // Vietnamese.
    "đã thích",
    "đã yêu thích",
    "đã thả tim",
    "đã thả tim cho",
    "đã không thích",
    "đã cười",
    "đã cười vì",
    "đã cười với",
    "đã nhấn mạnh",
    "đã hỏi",
    "đã đặt câu hỏi",
    "đã đặt câu hỏi về",
    "đã nghi vấn",
    "thích",
    "yêu thích",
    "không thích",
];

/// The first word of a reaction with a sign in it, and the last: `Reacted 🎉 to`, `Removed a heart from`.
pub const REACTED_AROUND: &[(&str, &str)] = &[
    ("reacted", "to"),
    ("removed", "from"),
    ("reaccionó", "a"),
    ("reacciono", "a"),
    ("ha reaccionado", "a"),
    ("quitó", "de"),
    ("quito", "de"),
    ("eliminó", "de"),
    ("elimino", "de"),
    ("retiró", "de"),
    ("用", "回应了"),
    ("用", "回應了"),
    ("用", "回应"),
    ("用", "回應"),
    ("移除了", "的"),
    ("取消了对", ""),
    ("取消了對", ""),
    ("取消了", ""),
    ("取消對", ""),
    ("撤回了", ""),
    ("đã bày tỏ", "với"),
    ("đã bày tỏ", "về"),
    ("đã bày tỏ", "cho"),
    ("đã phản ứng", "với"),
    ("đã thể hiện", "với"),
    ("đã xóa", "khỏi"),
    ("đã xoá", "khỏi"),
    ("đã gỡ", "khỏi"),
    ("đã bỏ", "khỏi"),
    ("đã thả", "cho"),
    ("đã thả", "vào"),
];

/// What stands after the quoted text: `对“…”表示赞`, `với một nhãn dán`.
pub const REACTED_AFTER: &[&str] = &[
    "表示",
    "做出",
    "作出",
    "点了赞",
    "點了讚",
    "点赞",
    "點讚",
    "的回应",
    "的回應",
    "的心情",
    "的赞",
    "的讚",
    "标记了",
    "加了",
    "with a sticker",
    "con un sticker",
    "bằng nhãn dán",
];

/// A reaction to what cannot be repeated.
pub const REACTED_TO_MEDIA: &[&str] = &[
    "liked an image",
    "liked a photo",
    "liked a video",
    "liked a movie",
    "liked an attachment",
    "liked an audio message",
    "liked a message",
    "loved an image",
    "loved a photo",
    "loved a video",
    "loved a movie",
    "loved an attachment",
    "loved an audio message",
    "loved a message",
    "laughed at an image",
    "laughed at a photo",
    "laughed at a message",
    "emphasized an image",
    "emphasized a photo",
    "emphasized a message",
    "questioned an image",
    "questioned a photo",
    "questioned a message",
    "disliked an image",
    "disliked a photo",
    "disliked a message",
    "le gustó una imagen",
    "le encantó una imagen",
    "le gustó una foto",
    "le encantó una foto",
    "赞了一张图片",
    "喜欢了一张图片",
    "赞了图像",
    "喜欢了图像",
    "đã thích một hình ảnh",
    "đã yêu thích một hình ảnh",
    "đã thích một ảnh",
    "đã thích một tin nhắn",
];

/// Heads of a mail that is quoted or sent on whole.
pub const QUOTED_MAILS: &[&str] = &[
    "original message",
    "original appointment",
    "forwarded message",
    "begin forwarded message",
    "mensaje original",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "原始邮件",
    "原始郵件",
    "原邮件",
    "原始信息",
    "原始訊息",
    "转发的邮件",
    "轉寄的郵件",
    "转发邮件",
    "轉寄郵件",
    "开始转发的邮件",
    "thư gốc",
    "tin nhắn gốc",
    "thư được chuyển tiếp",
    "tin nhắn được chuyển tiếp",
    "bắt đầu thư được chuyển tiếp",
];

/// The line that a telephone's mail program adds.
pub const SIGNATURES: &[&str] = &[
    "sent from my ",
    "sent from yahoo",
    "sent from outlook",
    "sent from mail",
    "sent from aol",
    "sent from proton",
    "sent via ",
    "sent with ",
    "get outlook for",
    "enviado desde ",
    "enviado de mi ",
    "obtener outlook",
    "发自我的",
    "發自我的",
    "发自我们的",
    "从我的iphone",
    "從我的iphone",
    "從我的 iphone",
    "来自我的",
    "來自我的",
    "获取 outlook",
    "gửi từ ",
    "được gửi từ ",
    "đã gửi từ ",
    "tải outlook",
];

/// How our texts, and everybody's, tell to answer.
pub const INSTRUCTIONS: &[&str] = &[
    "reply yes",
    "reply stop",
    "text stop",
    "send stop",
    "answer stop",
    "reply with stop",
    "stop to end",
    "stop to opt",
    "stop to unsub",
    "stop to stop",
    "stop to cancel",
    "end texts: stop",
    "end: stop",
    "help: help",
    "responda 1",
    "responda stop",
    "responda alto",
    "responda si",
    "responda sí",
    "textos: stop",
    "fin: stop",
    "ayuda: ayuda",
    "回复stop",
    "回复 stop",
    "回覆stop",
    "回覆 stop",
    "回复1",
    "回覆1",
    "回复t",
    "回覆t",
    "回复td",
    "trả lời 1",
    "trả lời stop",
    "tin: stop",
];

/// Forms are short; what is compared with them is cut to this many letters, so that a reply costs the same at any length.
const FORM_LETTERS_MAX: usize = 80;

pub fn is_one_of(forms: &[&str], text: &str) -> bool {
    let text = text.to_lowercase();
    forms.iter().any(|form| text == *form || text.ends_with(&format!(" {form}")))
}

pub fn starts_with_any(forms: &[&str], text: &str) -> bool {
    let text: String = text.chars().take(FORM_LETTERS_MAX).flat_map(char::to_lowercase).collect();
    forms.iter().any(|form| text.starts_with(form))
}

/// Whether `verb` ends in a form, as words of its own; a Chinese form needs no space before it.
pub fn ends_with_any(forms: &[&str], verb: &str) -> bool {
    let verb = verb.to_lowercase();
    let ends = |form: &&str| {
        verb.strip_suffix(*form)
            .is_some_and(|before| before.is_empty() || before.ends_with(' ') || form.starts_with(crate::words::is_han))
    };
    let around = |(first, last): &(&str, &str)| {
        let from = verb.find(first);
        from.is_some_and(|from| from <= REACTOR_BYTES_MAX) && verb.ends_with(last)
    };
    forms.iter().any(ends) || REACTED_AROUND.iter().any(around)
}

/// The name of who reacted, before the verb: `A doña Rosa `, and no more.
const REACTOR_BYTES_MAX: usize = 24;

pub fn contains_any(forms: &[&str], text: &str) -> bool {
    let text = text.to_lowercase();
    forms.iter().any(|form| text.contains(form))
}

/// Where a signature begins that was run together with the reply: `yes -- Sent from Yahoo Mail`.
pub fn signature_in(text: &str) -> Option<usize> {
    let dashes = ["-- ", "— ", "– "];
    let begins = dashes.iter().filter_map(|dash| text.rfind(dash).map(|at| (at, at + dash.len()))).max()?;
    starts_with_any(SIGNATURES, &text[begins.1..]).then_some(begins.0)
}

/// `From: …` at the head of a mail that Outlook quotes.
pub fn is_from(line: &str) -> bool {
    starts_with_any(&["from:", "de:", "发件人", "發件人", "寄件者", "寄件人", "từ:"], line)
}

/// The line below it.
pub fn is_sent(line: &str) -> bool {
    starts_with_any(
        &[
            "sent:",
            "date:",
            "to:",
            "subject:",
            "enviado:",
            "fecha:",
            "para:",
            "asunto:",
            "发送时间",
            "發送時間",
            "寄件日期",
            "日期",
            "收件人",
            "收件者",
            "主题",
            "主旨",
            "đã gửi:",
            "ngày:",
            "ngày gửi:",
            "đến:",
            "tới:",
            "chủ đề:",
        ],
        line,
    )
}

/// `Fwd: …`: sent on, whoever wrote it.
pub fn is_forward(line: &str) -> bool {
    starts_with_any(
        &["fwd:", "fw:", "rv:", "reenviado:", "转发:", "转发：", "轉寄:", "轉寄：", "轉發：", "chuyển tiếp:"],
        line,
    )
}

/// Whether `first` begins and `last` ends the line `On Tuesday … Cedar wrote:`.
pub fn is_wrote(first: &str, last: &str) -> bool {
    let first = first.to_lowercase();
    let last = last.trim_end_matches([' ', '\u{a0}']).to_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| first.starts_with(word));
    let ends = |words: &[&str]| words.iter().any(|word| last.ends_with(word));
    begins(&["on "]) && ends(&["wrote:"])
        || begins(&["el ", "en "]) && ends(&["escribió:", "escribio:"])
        || begins(&["在", "于", "於", "20"]) && ends(&["写道:", "写道：", "寫道:", "寫道：", "写：", "寫："])
        || begins(&["vào ", "ngày "]) && ends(&["đã viết:", "viết:"])
}
