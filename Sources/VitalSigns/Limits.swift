/// The limits of the contract's table "Validation": what a vital sign can be, and what is doubtful but kept.
///
/// Heart rate 0 and saturation below 50 occur in the last minutes of a life, so the outer limits refuse only what
/// no measurement can be; the inner ones flag.
public enum Limits {
    /// Least accepted values, in the order of `Reading.values`.
    public static let lowest: [6 of Double] = [0, 10, 0, 0, 0, 0]
    /// Greatest accepted values, in the order of `Reading.values`.
    public static let highest: [6 of Double] = [300, 50, 100, 120, 400, 300]
    /// A temperature in this range (both ends included) is rejected as Fahrenheit.
    public static let fahrenheit: ClosedRange<Double> = 70...120
    /// Greatest accepted event time, 9999-12-31T23:59:59.999Z in milliseconds since 1970-01-01Z.
    public static let latestTimeMilliseconds: Int64 = 253_402_300_799_999

    /// The `suspect` bits of a row: bit i when value i is present and outside what passes unflagged.
    ///
    /// Pure; judges the values as stored (rounded to `Float`), so that a row merged from several messages gets the
    /// same bits whatever the batches were. `presence` as in `Reading`; its upper two bits are ignored.
    public static func suspectMask(values: [6 of Float], presence: UInt8) -> UInt8 {
        var outside: UInt8 = 0
        if !(values[0] >= 20 && values[0] <= 250) { outside |= 1 << 0 }
        if !(values[1] >= 30 && values[1] <= 43) { outside |= 1 << 1 }
        if !(values[2] >= 50 && values[2] <= 100) { outside |= 1 << 2 }
        if !(values[3] >= 4 && values[3] <= 70) { outside |= 1 << 3 }
        if !(values[4] >= 30 && values[4] <= 300) { outside |= 1 << 4 }
        if !(values[5] >= 10 && values[5] <= 200) { outside |= 1 << 5 }
        return outside & presence & 0b0011_1111
    }
}
