import ChaosLaboratory
import Service
import Testing

/// The connection breaks at the worst places of a transaction: whether it was committed is unknown, and must be found
/// out.
@Suite(.serialized, .ownThread, .databaseServer) struct AnswerLostTests {
    @Test(arguments: [
        WireProxy.Moment.beforeFence, .afterFence, .insideCopy, .beforeCommit, .commitAnswer, .takeOverAnswer,
    ])
    func `a connection that breaks there loses and doubles nothing`(moment: WireProxy.Moment) throws {
        try Laboratory.open { laboratory in
            let log = try laboratory.topic(partitions: 2)
            let proxy = try laboratory.proxy()
            if moment == .takeOverAnswer { proxy.arm(moment, .cut) }
            let service = try laboratory.serve(log, databaseURL: laboratory.databaseURL(port: proxy.port))
            if moment == .takeOverAnswer { try proxy.awaitSprung() }
            try service.awaitReady()
            let feeder = try laboratory.feed(log, perSecond: 500)
            for _ in 1...3 {
                if moment == .takeOverAnswer { break }
                proxy.arm(moment, .cut)
                try proxy.awaitSprung()
                try laboratory.awaitPosition(log, at: log.count)
            }
            try feeder.stop()
            try laboratory.awaitPosition(log)
            try laboratory.judge(log)
            #expect(try service.count(of: "the group revoked") == 0)
            try service.stop()
        }
    }
}
